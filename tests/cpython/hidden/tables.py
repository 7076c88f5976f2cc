"""Loops through memory that pyarrow was lent: 10 of each are dropped, or all are kept; those of which another knows are kept."""

import sys

import numpy
import pyarrow


class Chunk(bytearray):
    pass


class Column(numpy.ndarray):
    pass


def numbers(chunk):
    return pyarrow.Array.from_buffers(pyarrow.int8(), len(chunk), [None, pyarrow.py_buffer(chunk)])


views = {
    "buffer": pyarrow.py_buffer,
    "part": lambda chunk: pyarrow.py_buffer(chunk)[10:20],
    "foreign": lambda chunk: pyarrow.foreign_buffer(numpy.frombuffer(chunk, "i1").ctypes.data, len(chunk), chunk),
    "numbers": numbers,
    "list": lambda chunk: pyarrow.ListArray.from_arrays(pyarrow.array([0, 5, 9], pyarrow.int32()), numbers(chunk)),
    "batch": lambda chunk: pyarrow.RecordBatch.from_arrays([numbers(chunk)], ["n"]),
    "table": lambda chunk: pyarrow.table({"n": numbers(chunk)}),
}


def lend(way):
    chunk = Chunk(1000)
    setattr(chunk, way, views[way](chunk))
    return chunk


def zero_copy():
    column = numpy.arange(1000).view(Column)
    column.numbers = pyarrow.array(column)
    return column


def shared():
    chunk = Chunk(1000)
    chunk.table = pyarrow.table({"n": numbers(chunk)})
    return chunk.table["n"]


def main(keep):
    kept = []
    for _ in range(10):
        kept.append(shared())
        made = [zero_copy(), *map(lend, views)]
        if keep:
            kept.append(made)
    return kept


KEPT = main(sys.argv[1:] == ["keep"])
