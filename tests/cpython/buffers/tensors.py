"""Loops that hold what torch has: tensors, storages, and what shares them; prints how much memory those own in all.

Run by hand, since torch is larger than all that the tests install together::

    refloop record -o tensors.reftrace -- python tests/cpython/buffers/tensors.py
    refloop analyze tensors.reftrace

The loops of ``Holder`` have as many bytes as were printed, and some 20,000 of their own.
"""

import gc

import torch

gc.disable()


class Holder:
    def __init__(self, *held):
        self.held = held
        self.itself = self


def shared():
    tensor = torch.zeros(300_000)
    Holder(tensor)
    Holder(torch.zeros(0).set_(tensor))


def seen_in_part():
    """A view holds the tensor that it is of, in C++, where nobody sees it: that half is not in the loop's bytes."""
    Holder(torch.zeros(100_000)[10:20])


made = [
    lambda: torch.zeros(100_000),
    lambda: torch.zeros(50_000, dtype=torch.float64, requires_grad=True),
    lambda: torch.nn.Parameter(torch.ones(20_000)),
    lambda: torch.zeros(10_000).untyped_storage(),
    lambda: torch.zeros(0),
]
for make in made:
    Holder(make())
shared()
seen_in_part()
# Memory of another object, and of nobody.
Holder(torch.frombuffer(bytearray(8_000), dtype=torch.float64))
Holder(torch.empty(1_000_000, device="meta"))
print(4 * 100_000 + 8 * 50_000 + 4 * 20_000 + 4 * 10_000 + 4 * 300_000 + 4 * 100_000 // 2)
