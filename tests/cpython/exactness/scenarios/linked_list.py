"""A doubly linked list of 1,000 nodes."""


class Node:
    def __init__(self, previous):
        self.previous = previous
        self.next = None
        if previous is not None:
            previous.next = self


def scenario():
    node = None
    for _ in range(1000):
        node = Node(node)
