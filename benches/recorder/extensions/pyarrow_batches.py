"""Arrays, batches, tables and types."""

import pyarrow


class Batch:
    def __init__(self, number):
        self.numbers = pyarrow.array([number, number + 1, None])
        self.texts = pyarrow.array(["a", "b%d" % number])
        self.batch = pyarrow.record_batch([self.numbers], names=["number"])
        self.scalars = [pyarrow.scalar(number), pyarrow.scalar("s%d" % number), self.numbers[0]]
        self.buffer = pyarrow.py_buffer(b"x%d" % number)
        self.words = {"number": number, "list": [number]}


batches = [Batch(number) for number in range(15_000)]
tables = [pyarrow.Table.from_batches([batch.batch]) for batch in batches[:5_000]]
types = [pyarrow.struct([("field%d" % number, pyarrow.list_(pyarrow.int64()))]) for number in range(10_000)]
fields = [each[0] for each in types]
