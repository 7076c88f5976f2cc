"""Tracebacks and frames of nested calls kept in a list that a local holds."""

import sys


def scenario():
    kept = []

    def inner(value):
        cell = kept
        try:
            1 / value
        except ZeroDivisionError:
            kept.append(sys.exc_info()[2])

    inner(0)
    kept.append(kept)
