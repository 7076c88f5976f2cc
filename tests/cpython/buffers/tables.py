"""Loops that hold what pyarrow has: buffers, arrays, tables, and parts of them; prints how much memory those own in all."""

import gc

import numpy
import pyarrow

gc.disable()
alive = bytes(1 << 20)


class Holder:
    def __init__(self, *held):
        self.held = held
        self.itself = self


def numbers(n):
    return pyarrow.array(range(n), type=pyarrow.int64())


def read_back(table):
    """The table as it comes from a file: its buffers are parts of one."""
    sink = pyarrow.BufferOutputStream()
    with pyarrow.RecordBatchStreamWriter(sink, table.schema) as writer:
        writer.write_table(table)
    return pyarrow.ipc.open_stream(pyarrow.BufferReader(sink.getvalue())).read_all()


def shared():
    table = pyarrow.table({"n": numbers(20_000), "text": ["x" * (i % 50) for i in range(20_000)]})
    Holder(table, table.column("n"))
    Holder(table.slice(10, 100), table.column("text").chunk(0), table.to_batches()[0])


Holder(pyarrow.allocate_buffer(100_000))
Holder(pyarrow.allocate_buffer(50_000).slice(100, 10))
Holder(numbers(30_000))
Holder(pyarrow.array([None if i % 3 else str(i) for i in range(10_000)]))
Holder(pyarrow.array([{"a": i, "b": [i, i + 1]} for i in range(5_000)]))
Holder(pyarrow.array([[[i], [i, i]] for i in range(2_000)]))
Holder(pyarrow.array([[(i, "x")] for i in range(2_000)], type=pyarrow.map_(pyarrow.int64(), pyarrow.string())))
Holder(pyarrow.array([[i, i] for i in range(2_000)], type=pyarrow.list_(pyarrow.int32(), 2)))
Holder(pyarrow.array(["red", "green", "blue"] * 5_000).dictionary_encode())
Holder(pyarrow.chunked_array([numbers(1_000), numbers(2_000)]))
Holder(pyarrow.RecordBatch.from_arrays([numbers(7_000)], ["n"]))
Holder(read_back(pyarrow.table({"n": numbers(9_000), "m": numbers(9_000)})))
Holder(pyarrow.array([], type=pyarrow.int8()), pyarrow.nulls(1000))
shared()
# Memory of objects that only a buffer holds, and of one that is alive.
Holder(pyarrow.py_buffer(bytes(1 << 20)))
Holder(pyarrow.table({"a": numpy.arange(200_000.0)}), pyarrow.py_buffer(alive))
print(pyarrow.total_allocated_bytes() + (1 << 20) + 1_600_000)
