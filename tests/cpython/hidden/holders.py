"""Loops through an extension's type: which type, how it holds the object, and whether the program keeps the loops."""

import sys

import extension


class Direct:
    pass


class Inner:
    pass


class Twice:
    pass


class Far:
    pass


class Large:
    pass


class Method(list):
    pass


class Borrowed:
    pass


HOW = ((Direct, "direct"), (Inner, "inner"), (Twice, "twice"), (Far, "far"), (Large, "large"), (Borrowed, "borrowed"))


def main(kind, keep):
    kept = []
    holder = getattr(extension, kind)
    for _ in range(10):
        for make, how in HOW:
            made = make()
            made.holder = holder(made, how)
            if keep:
                kept.append(made)
        method = Method()
        method.holder = holder(method.append, "direct")
        if keep:
            kept.append(method)
        if kind == "Hiding" and hasattr(extension, "Open"):
            has_dict = extension.Open()
            has_dict.those = [has_dict]
            if keep:
                kept.append(has_dict)
    return kept


KEPT = main(sys.argv[1], sys.argv[2:] == ["keep"])
