"""An enumeration made at run time."""

import enum


def scenario():
    class Colour(enum.Enum):
        RED = 1
        GREEN = 2

    return None
