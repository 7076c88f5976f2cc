"""Containers of extensions, full of objects that they do not show, and 2,000 loops through them."""

import lru
import msgspec
import rpds


class Node:
    def __init__(self, number):
        self.number = number
        self.list = [number]


class Struct(msgspec.Struct, gc=False):
    node: object


class Owner:
    def __init__(self):
        self.cache = lru.LRU(5)
        self.cache[1] = self


cache = lru.LRU(50_000)
for number in range(50_000):
    cache[number] = Node(number)
table = rpds.HashTrieMap({number: Node(number) for number in range(20_000)})
structs = [Struct(Node(number)) for number in range(50_000)]
for _ in range(2_000):
    Owner()
