"""A cached property whose value points back."""

import functools


class Page:
    @functools.cached_property
    def view(self):
        return {"page": self}


def scenario():
    for _ in range(3):
        Page().view
