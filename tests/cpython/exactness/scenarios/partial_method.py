"""Descriptors of the standard library that hold functions."""

import functools


def scenario():
    class Cell:
        def set_state(self, state):
            self.state = state

        alive = functools.partialmethod(set_state, True)

        @functools.singledispatchmethod
        def show(self, value):
            return value

    cell = Cell()
    cell.alive()
    cell.me = cell
