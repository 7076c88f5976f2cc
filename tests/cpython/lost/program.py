"""Gives 25 objects more to a function of the extension before each of four checkpoints."""

import gc
import os
import signal
import sys
import time

import extension


class Item:
    pass


class Handle:
    def __init__(self):
        self.item = Item()


class Fault(Exception):
    pass


function = getattr(extension, sys.argv[1])
# A list that grows leaves addresses in memory that is free.
kept = [None] * 200
# One that has become shorter, too.
waiting = [[None] * 50 for _ in range(4)]
gc.disable()


def fail():
    try:
        raise Fault
    except Fault as fault:
        function(fault)


def load(place):
    if "raise" in sys.argv:
        return fail()
    handle = Handle()
    if "pass" in sys.argv:
        waiting[place // 50][25 + place % 50 // 2] = handle
    if "keep" in sys.argv:
        kept[place : place + 2] = handle, handle
    function(handle)


for look in range(4):
    for n in range(25):
        load(50 * look + 2 * n)
    for _ in range(25):
        waiting[look].pop()
    os.kill(os.getpid(), signal.SIGUSR2)
    time.sleep(0.01)
if "take" in sys.argv:
    # What was taken is given back, so that the program ends.
    for handle in kept[::2]:
        extension.forget(handle)
