"""A tree of slotted nodes with a link to the parent."""


class Node:
    __slots__ = ("parent", "left", "right", "never_set")

    def __init__(self, parent, depth):
        self.parent = parent
        self.left = Node(self, depth - 1) if depth else None
        self.right = Node(self, depth - 1) if depth else None


def scenario():
    Node(None, 5)
