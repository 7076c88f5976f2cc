"""A frame object kept by one of its own locals."""

import sys


def keep():
    text = "a local of the frame" * 2
    frame = sys._getframe()
    return None


def scenario():
    keep()
