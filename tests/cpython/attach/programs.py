"""Programs that wait to be attached to. Each says when it is ready, and at the end what it sees of itself and what it computed."""

import atexit
import collections
import ctypes
import datetime
import gc
import hashlib
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
import tracemalloc
import warnings


class Node:
    def __init__(self, number):
        self.number = number
        self.me = self


# Made once: types that come and go would be garbage.
Word, Allocator = ctypes.c_size_t, ctypes.c_size_t * 5


def word(address):
    return Word.from_address(address).value


def definition(function):
    """The function in C behind a built-in one."""
    return word(word(id(function) + 16) + 8)


def native():
    """What a guest may have put into CPython's own tables."""
    allocator = Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(2, allocator)
    functions = os._exit, os.fork, os.forkpty, atexit.register, signal.signal, signal.getsignal
    return {
        "allocator": list(allocator),
        "deallocators": [word(id(each) + 48) for each in (list, dict, tuple)],
        "functions": [definition(each) for each in functions],
    }


def seen():
    """What a program can see of a guest, but for what the guest has said of itself beforehand."""
    return {
        "callbacks": [repr(each) for each in gc.callbacks],
        "threads": [each.name for each in threading.enumerate()],
        "frames": len(sys._current_frames()),
        "modules": sorted(sys.modules),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "names": sorted(vars(sys.modules["__main__"])),
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.garbage), gc.get_freeze_count()],
        "files": sorted(os.listdir("/proc/self/fd")),
        "last": [hasattr(sys, name) for name in ("last_type", "last_value", "last_exc")],
        "excepthook": repr(sys.excepthook),
        "profile": [repr(sys.getprofile()), repr(sys.gettrace())],
        "native": native(),
        "signals": [repr(signal.getsignal(number)) for number in (1, 2, 10, 12, 15)],
    }


def tasks():
    """The threads that the system knows, when those of a guest have had the time to end."""
    expected = threading.active_count()
    for _ in range(200):
        found = len(os.listdir("/proc/self/task"))
        if found == expected:
            break
        time.sleep(0.01)
    return found


def ready():
    print("ready", flush=True)


def stopped():
    return os.path.exists("stop")


def accept():
    server = socket.socket(socket.AF_UNIX)
    server.bind("stop")
    server.listen()
    ready()
    connection = server.accept()[0]
    connection.close()
    server.close()


def wait():
    while not stopped():
        time.sleep(0.5)


def sleep():
    ready()
    wait()


def loop():
    """Runs Python without an end, and asks the system for nothing."""
    ready()
    n = total = 0
    while n % 2_000_000 or not stopped():
        n += 1
        total ^= n


def threads():
    """The main thread waits for others, of which one works."""
    go_on = threading.Event()
    waiting = [threading.Thread(target=go_on.wait, name="waits-%d" % number) for number in range(3)]
    working = threading.Thread(target=loop, name="works")
    for thread in waiting + [working]:
        thread.start()
    working.join()
    go_on.set()
    for thread in waiting:
        thread.join()


def released():
    """C code that has given the interpreter's lock up, and works."""
    ready()
    while not stopped():
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 300_000)


def held():
    """C code that keeps the interpreter's lock: once for some seconds."""
    ready()
    sum(itertools.repeat(1, 400_000_000))
    wait()


class Slow:
    """Keeps the collector waiting, in the middle of a collection."""

    def __init__(self):
        self.me = self

    def __del__(self):
        ready()
        time.sleep(1.5)


def collecting():
    nodes = Slow()
    del nodes
    gc.collect()
    wait()


class Fresh:
    def __init__(self, number):
        self.number = number


def births():
    """Makes objects that stay, and some that do not."""
    ready()
    fresh = []
    while not stopped():
        fresh.append(Fresh(len(fresh)))
        [Fresh(number) for number in range(50)]
        time.sleep(0.005)
    assert [each.number for each in fresh] == list(range(len(fresh)))


def traced():
    """Puts another wrapper over the allocator's functions, and takes it away later."""
    ready()
    while not os.path.exists("over"):
        time.sleep(0.05)
    tracemalloc.start()
    os.rename("over", "traced")
    while not os.path.exists("off"):
        time.sleep(0.05)
    tracemalloc.stop()
    os.rename("off", "untraced")
    wait()


def forks():
    """Has children while it is recorded, and is warned of no thread."""
    warnings.simplefilter("error")
    ready()
    while not stopped():
        time.sleep(0.02)
        if not gc.callbacks:
            continue
        child = os.fork()
        if child == 0:
            kept = [Fresh(number) for number in range(1000)]
            gc.collect()
            os._exit(len(kept) % 256)
        assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 1000 % 256
    warnings.resetwarnings()


class Zone(datetime.tzinfo):
    def utcoffset(self, moment):
        return None


def hiding():
    """Loops that no collection frees: a `datetime` does not show its zone."""
    for _ in range(20):
        zone = Zone()
        zone.since = datetime.datetime(2020, 1, 1, tzinfo=zone)
    del zone
    sleep()


def allocating():
    """Threads that are in the C library's allocator, without the interpreter's lock."""
    library = ctypes.CDLL(None)
    library.strdup.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    text = b"x" * 3000

    def allocate():
        while not stopped():
            for _ in range(2000):
                library.free(library.strdup(text))

    threads = [threading.Thread(target=allocate) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready()
    for thread in threads:
        thread.join()


def large():
    """Has a heap that takes a moment to walk."""
    kept = [[Fresh(number)] for number in range(400_000)]
    sleep()
    kept.clear()


FORKED = []


def has_children():
    for task in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/children" % task) as children:
                if children.read().strip():
                    return True
        except OSError:
            pass  # It has ended.
    return False


def copied():
    """Forks, and closes connections, while a guest has a copy of the process: no thread is seen, and what is closed is closed."""
    warnings.simplefilter("error")
    kept = [[Fresh(number)] for number in range(200_000)]
    ready()
    while not stopped():
        time.sleep(0.002)
        if not has_children():
            continue
        ours, theirs = socket.socketpair()
        theirs.settimeout(5)
        ours.close()
        assert theirs.recv(1) == b""
        theirs.close()
        child = os.fork()
        if child == 0:
            os._exit(len(os.listdir("/proc/self/task")))
        assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 1
        try:
            os.waitpid(-1, os.WNOHANG)
            raise SystemExit("a child of somebody else's is seen")
        except ChildProcessError:
            FORKED.append(child)
    warnings.resetwarnings()
    kept.clear()


class Line:
    def __init__(self, order, number):
        self.order, self.number = order, number


class Order:
    """Refers to its lines, and they to it."""

    def __init__(self, number):
        self.lines = [Line(self, each) for each in range(number % 50)]

    def sum(self):
        return sum(line.number * line.number for line in self.lines)


def answer(connection, lately):
    with connection:
        while True:
            request = connection.recv(4096)
            if not request:
                return
            number = int(request.split()[1][1:])
            order = Order(number)
            lately.append(order)
            body = json.dumps({"number": number, "sum": order.sum()}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)


def serve():
    """A service with a thread for each connection, and the collector on."""
    gc.enable()
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket")
    server.listen()
    server.settimeout(0.1)
    lately, threads = collections.deque(maxlen=100), []
    ready()
    while not stopped():
        try:
            connection = server.accept()[0]
        except socket.timeout:
            continue
        threads.append(threading.Thread(target=answer, args=(connection, lately)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    server.close()
    gc.disable()


def main():
    name, count = sys.argv[1], int(sys.argv[2])
    gc.disable()
    if name != "collecting":
        gc.collect()
    for number in range(count):
        Node(number)
    kept = [Node(number) for number in range(7)]
    before = seen()
    globals()[name]()
    after = seen()
    after["files"], before["files"] = len(after["files"]), len(before["files"])
    differs = [name for name in before if before[name] != after[name]]
    collected = gc.collect()
    gc.callbacks.append(lambda *_: None)
    answer = {"forked": len(FORKED), "differs": {name: [before[name], after[name]] for name in differs}, "tasks": tasks(),
              "collected": collected, "kept": sum(node.number for node in kept)}
    print(json.dumps(answer), flush=True)
    sys.exit(7)


main()
