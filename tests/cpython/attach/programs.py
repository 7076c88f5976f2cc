"""Programs that wait to be attached to. Each says when it is ready, and at the end what it sees of itself and what it computed."""

import gc
import hashlib
import itertools
import json
import os
import socket
import sys
import threading
import time


class Node:
    def __init__(self, number):
        self.number = number
        self.me = self


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
    answer = {"differs": {name: [before[name], after[name]] for name in differs}, "tasks": tasks(),
              "collected": collected, "kept": sum(node.number for node in kept)}
    print(json.dumps(answer), flush=True)
    sys.exit(7)


main()
