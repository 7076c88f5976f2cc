from anytree import Node


def leaf():
    return Node("c", parent=Node("b", parent=Node("a")))


def once():
    c = leaf()
    return c.root.name, c.depth, [n.name for n in c.ancestors], c.siblings
