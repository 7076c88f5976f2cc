import astroid


def node():
    return astroid.extract_node("def f(x):\n    return x + 1 #@\n")


def once():
    n = node()
    return n.scope().name, n.root().name, n.as_string()
