"""Aliases of types with arguments made at run time (3.9, 3.10)."""

import sys


def scenario():
    class Local:
        pass

    if sys.version_info >= (3, 9):
        Local.alias = list[Local]
    if sys.version_info >= (3, 10):
        Local.union = Local | None
