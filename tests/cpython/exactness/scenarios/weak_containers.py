"""Weak dictionaries and sets of objects in a loop."""

import weakref

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Key:
    pass


def scenario():
    cache = weakref.WeakKeyDictionary()
    values = weakref.WeakValueDictionary()
    key = Key()
    key.me = key
    key.cache, key.values, key.set = cache, values, weakref.WeakSet([key])
    cache[key] = "value"
    values["key"] = key
