"""An instance that holds itself."""


class Node:
    pass


def scenario():
    for _ in range(40):
        node = Node()
        node.me = node
        node.data = "payload " * 3
