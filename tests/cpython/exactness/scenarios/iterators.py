"""Iterators, views and slices that hold their container."""

import itertools


class Box:
    pass


def scenario():
    box = Box()
    box.items = [box]
    box.table = {"box": box}
    box.iterators = [
        iter(box.items),
        iter(box.table),
        box.table.items(),
        iter(box.table.values()),
        reversed(box.items),
        zip(box.items, box.items),
        map(len, box.items),
        filter(None, box.items),
        enumerate(box.items),
        itertools.chain(box.items, [box]),
        itertools.islice(box.items, 1),
        itertools.cycle(box.items),
        itertools.tee(box.items)[0],
    ]
    next(box.iterators[0])
    next(box.iterators[-1])
