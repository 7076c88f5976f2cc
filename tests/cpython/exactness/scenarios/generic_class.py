"""A generic class and a parametrised alias."""

import typing

T = typing.TypeVar("T")


def scenario():
    class Box(typing.Generic[T]):
        def __init__(self, item):
            self.item = item

    box = Box([])
    box.item.append(box)
