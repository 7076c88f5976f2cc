"""A ring of 100,000 nodes: nothing may recurse."""


class Node:
    __slots__ = ("next",)


def scenario():
    first = node = Node()
    for _ in range(100_000):
        node.next = Node()
        node = node.next
    node.next = first
