"""Loops whose objects own memory outside of their block; prints, type by type, how much that is."""

import array
import ctypes
import gc
import io
import mmap
import os
import tempfile

gc.disable()


class Holder:
    def __init__(self, held):
        self.held = held
        self.itself = self


SIZE = 1 << 20


def text():
    made = io.StringIO()
    made.write("x" * 100_000)
    made.seek(0)
    made.write("y")  # from here on it has a buffer, and no list of pieces
    return made


def pieces():
    made = io.StringIO()
    for _ in range(100):
        made.write("x" * 10_000)
    return made


def written():
    made = io.BytesIO()
    for _ in range(100):
        made.write(b"x" * 10_000)
    return made


def file_mapping():
    with tempfile.TemporaryFile() as file:
        file.truncate(SIZE)
        return mmap.mmap(file.fileno(), SIZE)


makers = {
    "mmap.mmap": (lambda: mmap.mmap(-1, SIZE), SIZE),
    "bytearray": (lambda: bytearray(SIZE), SIZE),
    "array.array": (lambda: array.array("d", [0.0]) * (SIZE // 8), SIZE),
    "_io.StringIO": (text, 400_000),
    "_io.StringIO in pieces": (pieces, 1_000_000),
    "_io.BytesIO": (written, 1_000_000),
    "__main__.Buffer": (lambda: Buffer(), SIZE),
}


class Buffer(ctypes.Array):
    _type_ = ctypes.c_char
    _length_ = SIZE


Holder(file_mapping())
for name, (make, size) in makers.items():
    for _ in range(3):
        Holder(make())
    print(name, 3 * size + (SIZE if name == "mmap.mmap" else 0))
# Memory that is another's is not counted twice.
whole = bytearray(10 * SIZE)
Holder(memoryview(whole))
closed = mmap.mmap(-1, SIZE)
closed.close()
Holder(closed)
