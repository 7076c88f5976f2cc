"""Programs whose memory grows from a root: ``programs.py NAME grow``, or only while they warm up: ``programs.py NAME warm``.

Each does its work a hundred times between two checkpoints, which it asks for by a signal.
"""

import functools
import logging
import os
import queue
import signal
import sys
import threading
import weakref


class Item:
    """What is kept."""

    def __init__(self, number):
        self.number = number


CACHE = {}


def module_cache(number):
    CACHE[number] = Item(number)


class Service:
    """A singleton with a list, a method with a cache, and a table that its class has."""

    handlers = []

    def __init__(self):
        self.events = []

    @functools.lru_cache(maxsize=None)
    def report(self, number):
        return Item(number)


SERVICE = Service()


def singleton_list(number):
    SERVICE.events.append(Item(number))


def class_attribute(number):
    Service.handlers.append(Item(number))


def method_cache(number):
    SERVICE.report(number)


LOG = logging.getLogger("programs")


def logging_handlers(number):
    LOG.addHandler(logging.NullHandler())


TASKS = set()


def background_tasks(number):
    TASKS.add(Item(number))


QUEUE = queue.Queue()


def a_queue(number):
    QUEUE.put(Item(number))


BY_THREAD = {}


def by_thread(number):
    BY_THREAD.setdefault(threading.get_ident(), []).append(Item(number))


KEPT = Item(0)


def finalizers(number):
    weakref.finalize(KEPT, Item, number)


NAMES = {}


def interned_keys(number):
    NAMES[sys.intern("name %d" % number)] = number


CONTEXT = threading.local()
CONTEXT.stack = []


def thread_local(number):
    CONTEXT.stack.append(Item(number))


def fork_hooks(number):
    item = Item(number)
    os.register_at_fork(before=lambda: item)


USERS = {}


def users(number):
    USERS.setdefault(number % 20, []).append(Item(number))


class Node:
    """One of a chain."""

    def __init__(self, number, following):
        self.number = number
        self.following = following


class Chain:
    """What holds its head."""

    head = None


def linked_list(number):
    Chain.head = Node(number, Chain.head)


ITEMS = ()


def replaced_tuple(number):
    global ITEMS
    ITEMS += (Item(number),)


CLEARED = {}


def cleared_cache(number):
    if number % 250 == 0:
        CLEARED.clear()
    CLEARED[number] = Item(number)


BATCH = []


def replaced_list(number):
    global BATCH
    if number % 250 == 0:
        BATCH = []
    BATCH.append(Item(number))


def checkpoint():
    os.kill(os.getpid(), signal.SIGUSR2)
    # The handler runs before the next call returns.
    return len(CACHE)


def main(name, mode):
    work = globals()[name]
    for window in range(6):
        for number in range(100):
            if mode == "grow" or window == 0:
                work(window * 100 + number)
        checkpoint()


if __name__ == "__main__":
    main(*sys.argv[1:])
