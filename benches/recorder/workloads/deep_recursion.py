"""Recursion 60 to 70 frames deep with an allocation in each frame."""
import sys

sys.setrecursionlimit(10_000)


def down(depth, items):
    here = [depth, (depth, items)]
    if depth == 0:
        return len(here)
    return down(depth - 1, here) + 1


total = 0
for i in range(25_000):
    total += down(60 + i % 10, None)
print(total)
