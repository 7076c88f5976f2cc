"""A big structure that is kept: a tree whose nodes know their parents."""


class Node:
    def __init__(self, parent, depth):
        self.parent = parent
        self.depth = depth
        self.children = []


def grow(node, depth):
    if depth:
        for _ in range(4):
            child = Node(node, depth)
            node.children.append(child)
            grow(child, depth - 1)


root = Node(None, 9)
grow(root, 9)
print(len(root.children))
