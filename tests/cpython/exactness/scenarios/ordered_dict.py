"""Ordered, default and counting dicts in loops."""

import collections


class Registry(collections.OrderedDict):
    pass


def scenario():
    ordered = collections.OrderedDict(a=1)
    ordered["self"] = ordered
    ordered[("tuple", 1)] = [ordered]
    registry = Registry(x=ordered)
    registry.owner = registry
    default = collections.defaultdict(list)
    default["items"].append(default)
    default.default_factory = default.get
    counter = collections.Counter("hello")
    counter.me = counter
    chain = collections.ChainMap({}, counter)
    chain.maps[0]["chain"] = chain
