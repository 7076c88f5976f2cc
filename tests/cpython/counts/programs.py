"""Programs that count their own garbage: `programs.py KIND NUMBER BYTES`.

Each prints, as JSON, how many loops were garbage at most and are at the end, what one weighs, for how long all of them together
have been garbage, and how long it ran from the end of its first collection on.
"""

import gc
import json
import sys
import time

gc.collect()
BEGAN = time.monotonic_ns()


class Loop:
    """A loop of one object that holds some bytes."""

    __slots__ = ("data", "me")

    def __init__(self, size):
        self.data = bytes(size)
        self.me = self


class Ledger:
    """How many loops are garbage, and for how long they have been."""

    def __init__(self):
        self.now = self.most = 0
        self.loop_seconds = 0.0
        self.last = BEGAN

    def tell(self, difference):
        time_now = time.monotonic_ns()
        self.loop_seconds += self.now * (time_now - self.last) / 1e9
        self.last = time_now
        self.now += difference
        self.most = max(self.most, self.now)


LEDGER = Ledger()


def collected(phase, info):
    """The loops are the only garbage that the collector can find, and each is one object of its lists."""
    if phase == "stop":
        LEDGER.tell(-info["collected"])


def drop(number, size):
    """Makes loops and lets go of them, one after the other."""
    for _ in range(number):
        Loop(size)
        LEDGER.tell(1)


def churn(number, size):
    """The collector comes by on its own."""
    gc.enable()
    drop(number, size)
    gc.disable()
    gc.collect()


def lingering(number, size):
    """Garbage lies about for a while, and is collected."""
    for _ in range(3):
        drop(number, size)
        time.sleep(0.05)
        gc.collect()
        time.sleep(0.02)


def service(number, size):
    """Sessions live through some collections, are dropped, and stay until the oldest generation is looked at."""
    sessions = []
    for request in range(number):
        sessions.append(Loop(size))
        if request % 10 == 9:
            gc.collect(0)
        if len(sessions) > 20:
            del sessions[0]
            LEDGER.tell(1)
    left = len(sessions)
    sessions.clear()
    LEDGER.tell(left)
    time.sleep(0.03)
    gc.collect()


def frozen(number, size):
    """What is frozen, no collection frees, and none looks at it: it is seen at the end."""
    drop(number, size)
    gc.freeze()
    drop(number // 2, size)
    time.sleep(0.03)
    gc.collect()


def off(number, size):
    """Nothing is ever collected."""
    drop(number, size)
    time.sleep(0.03)


def main(kind, number, size):
    gc.disable()
    gc.callbacks.append(collected)
    globals()[kind](number, size)
    gc.callbacks.remove(collected)
    one = Loop(size)
    weight = sys.getsizeof(one) + sys.getsizeof(one.data)
    one.me = None
    LEDGER.tell(0)
    print(
        json.dumps(
            {
                "most": LEDGER.most,
                "end": LEDGER.now,
                "bytes": weight,
                "loop_seconds": LEDGER.loop_seconds,
                "seconds": (LEDGER.last - BEGAN) / 1e9,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
