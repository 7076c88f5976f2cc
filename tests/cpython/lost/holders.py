"""Gives C code of the standard library 25 objects more of each kind to hold before each of four checkpoints."""

import asyncio
import collections
import contextvars
import ctypes
import functools
import io
import itertools
import os
import pickle
import queue
import signal
import threading
import time
import weakref
from xml.parsers import expat

try:
    import sqlite3
except ImportError:
    sqlite3 = None


class Report:
    def __init__(self):
        self.rows = []

    def run(self, *arguments):
        return self


@functools.lru_cache(maxsize=None)
def cached(report):
    return Report()


def suspended(report):
    yield from [report, Report()]


async def waits(report, future):
    await future
    return report


kept = []
waiting = queue.SimpleQueue()
array = (ctypes.py_object * 100)()
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.py_object)
context = contextvars.copy_context()
pickler = pickle.Pickler(io.BytesIO())
database = sqlite3.connect(":memory:") if sqlite3 else None
loop = asyncio.new_event_loop()
future = loop.create_future()
never = threading.Event()
of_thread = threading.local()


def park(report):
    of_thread.report = Report()
    mine = Report()
    sorted([mine, report], key=lambda _: never.wait() and 1)


def hold(n):
    cached(Report())
    waiting.put(Report())
    array[n] = Report()
    context.run(contextvars.ContextVar(f"v{n}").set, Report())
    pickler.dump(Report())
    kept.append((callback(Report().run), ctypes.py_object(Report()), collections.deque([Report()])))
    kept.append((functools.partial(Report().run, Report()), itertools.tee(iter([Report()])), iter(Report().run, 1)))
    kept.append(suspended(Report()))
    next(kept[-1])
    weakref.finalize(kept[-1], Report().run, Report())
    future.add_done_callback(Report().run)
    loop.call_later(1000, Report().run, Report())
    kept.append(loop.create_task(waits(Report(), future)))
    kept.append(expat.ParserCreate())
    kept[-1].StartElementHandler = Report().run
    if database:
        database.create_function(f"f{n}", 1, Report().run)
    if n % 4 == 0:
        threading.Thread(target=park, args=(Report(),), daemon=True).start()


for look in range(4):
    for n in range(25):
        hold(25 * look + n)
    loop.run_until_complete(asyncio.sleep(0))
    os.kill(os.getpid(), signal.SIGUSR2)
    time.sleep(0.01)
