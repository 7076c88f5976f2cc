"""Loops that hold arrays of numpy; prints what `sys.getsizeof` says of each, and how much data there is in all."""

import gc
import sys

import numpy

gc.disable()


class Frame:
    def __init__(self, data):
        self.data = data
        self.itself = self


class Own(numpy.ndarray):
    __slots__ = ()


kept = [
    numpy.zeros((100, 3)),
    numpy.asfortranarray(numpy.zeros((7, 11), dtype="complex128")),
    numpy.zeros((4, 0, 5)),
    numpy.array(3.5),
    numpy.zeros(10, dtype=[("name", "S7"), ("value", "f8")]),
    numpy.array(["one", "seventeen"]),
    numpy.zeros(1000, dtype="datetime64[ns]"),
    numpy.zeros(50, dtype="float16").view(Own),
    numpy.zeros((30, 30))[::2],
    numpy.arange(100).reshape(10, 10).copy().view(Own),
    numpy.zeros(9, dtype="bool"),
    numpy.zeros(5, dtype=object),
    numpy.frombuffer(bytes(4096)),
]
for index, made in enumerate(kept):
    print("size", format(id(made), "x"), sys.getsizeof(made))
for _ in range(12):
    Frame(numpy.zeros(150_000))
