"""Works under a limit that it sets itself, and prints and returns the same whatever of the work the limit allows."""

import gc
import resource
import sys

KIND, AMOUNT = sys.argv[1], int(sys.argv[2])
LOOPS = 700


class Loop:
    pass


def loops(n):
    for _ in range(n):
        loop = Loop()
        loop.me = loop


def blocks(size, most):
    kept = []
    try:
        while len(kept) < most:
            kept.append(bytearray(size))
    except MemoryError:
        pass


def files():
    opened = []
    try:
        while len(opened) < 2000:
            opened.append(open("/dev/null", "rb"))
    except OSError:
        pass
    made = [str(n) for n in range(3000)]
    for file in opened:
        file.close()
    return made


loops(LOOPS)
gc.collect()
if KIND == "memory":
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    limit = used + AMOUNT
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    blocks(1 << 20, 1000)
    blocks(20 << 20, 50)
    blocks(3000, AMOUNT // 20000)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
elif KIND == "file":
    resource.setrlimit(resource.RLIMIT_FSIZE, (AMOUNT, resource.RLIM_INFINITY))
elif KIND == "descriptors":
    resource.setrlimit(resource.RLIMIT_NOFILE, (AMOUNT, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    files()
kept = [(n, str(n)) for n in range(20000)]
files()
loops(LOOPS)
gc.collect()
print("done", len(kept))
sys.exit(3)
