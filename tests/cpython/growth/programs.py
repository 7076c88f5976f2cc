"""Programs whose memory grows from a root: ``programs.py NAME grow``, or only while they warm up: ``programs.py NAME warm``.

Each does its work a hundred times between two checkpoints, which it asks for by a signal.
"""

import array
import collections
import functools
import io
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


class Seen:
    """Gets texts as keys, of which a trace has none, and the same value again and again."""

    def __init__(self):
        self.names = {}


SEEN = Seen()


def text_keys(number):
    SEEN.names["name %d" % number] = SERVICE


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


BUFFER = bytearray()


def a_buffer(number):
    BUFFER.extend(b"x" * 10_000)


SAMPLES = array.array("d")


def an_array(number):
    SAMPLES.extend([0.5] * 2_500)


class Both:
    """A list that is linked both ways, and its ends."""

    head = tail = None

    def __init__(self, number):
        self.number = number
        self.following = None
        self.before = Both.tail


def linked_both_ways(number):
    node = Both(number)
    if Both.tail is None:
        Both.head = node
    else:
        Both.tail.following = node
    Both.tail = node


ORDERED = collections.OrderedDict()


def ordered_dict(number):
    ORDERED["name %d" % number] = Item(number)


WRITTEN = io.BytesIO()


def written(number):
    WRITTEN.write(b"x" * 10_000)


TEXT = io.StringIO()


def written_text(number):
    TEXT.write("x" * 10_000)


class Log:
    """What has a text that is replaced by a longer one, and many buffers that are small each."""

    text = ""
    parts = [bytearray() for _ in range(40)]


def a_text(number):
    Log.text = Log.text + "x" * 6_000


def small_buffers(number):
    Log.parts[number % 40].extend(b"x" * 10_000)


SAME = []


def the_same_object(number):
    SAME.extend([None] * 200)


RECENT = collections.deque()


def a_deque(number):
    RECENT.extend([None] * 200)


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


SCRATCH = bytearray()


def truncated_buffer(number):
    if number % 250 == 0:
        del SCRATCH[:]
    SCRATCH.extend(b"x" * 10_000)


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
