from bigtree import Node, list_to_tree


def once():
    t = list_to_tree(["a/b/c", "a/d"])
    return [n.node_name for n in t.descendants], t.children[0].children[0].root.node_name
