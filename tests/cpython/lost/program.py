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


function = getattr(extension, sys.argv[1])
# A list that grows leaves addresses in memory that is free.
kept = [None] * 200
gc.disable()


def load(place):
    handle = Handle()
    if "keep" in sys.argv:
        kept[place : place + 2] = handle, handle
    function(handle)


for look in range(4):
    for n in range(25):
        load(50 * look + 2 * n)
    os.kill(os.getpid(), signal.SIGUSR2)
    time.sleep(0.01)
if "take" in sys.argv:
    # What was taken is given back, so that the program ends.
    for handle in kept[::2]:
        extension.forget(handle)
