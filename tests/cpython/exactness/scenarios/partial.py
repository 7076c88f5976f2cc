"""`functools.partial` with the instance among its arguments, keywords and attributes."""

import functools


class Timer:
    pass


def scenario():
    timer = Timer()
    timer.callback = functools.partial(print, timer, end=timer)
    timer.callback.owner = timer
    timer.again = functools.partial(timer.callback, 1)
