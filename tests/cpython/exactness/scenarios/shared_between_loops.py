"""Two loops that share an object, and a bridge from one to the other."""


class Node:
    pass


def scenario():
    shared = ["shared text " * 2]
    one, two = Node(), Node()
    one.me, two.me = one, two
    one.shared = two.shared = shared
    one.bridge = two
