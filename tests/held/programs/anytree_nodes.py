from anytree import Node, RenderTree, Resolver


def once():
    a = Node("a")
    b = Node("b", parent=a)
    c = Node("c", parent=b)
    return [n.node.name for n in RenderTree(a)], c.root.name, c.path[1].name, Resolver().get(a, "b/c").name
