"""`lru_cache` on a method keeps the instance, and the class is made at run time."""

import functools


def scenario():
    class Service:
        @functools.lru_cache(maxsize=32)
        def lookup(self, key):
            return [self, key]

        @functools.lru_cache(maxsize=None)
        def other(self, key):
            return {key: self}

    service = Service()
    for key in range(5):
        service.lookup(key)
        service.other(str(key))
