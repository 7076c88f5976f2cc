"""A dataclass made at run time, with an instance that holds itself."""

import dataclasses


def scenario():
    @dataclasses.dataclass
    class Point:
        x: int
        y: list = dataclasses.field(default_factory=list)

    point = Point(1)
    point.y.append(point)
