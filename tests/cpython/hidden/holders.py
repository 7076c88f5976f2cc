"""Loops through an extension's type: which type, how it holds the object, and whether the program keeps the loops."""

import sys

import extension


class Direct:
    pass


class Inner:
    pass


class Borrowed:
    pass


def main(kind, keep):
    kept = []
    for make, how in ((Direct, "direct"), (Inner, "inner"), (Borrowed, "borrowed")):
        for _ in range(10):
            made = make()
            made.holder = getattr(extension, kind)(made, how)
            if keep:
                kept.append(made)
    return kept


KEPT = main(sys.argv[1], sys.argv[2:] == ["keep"])
