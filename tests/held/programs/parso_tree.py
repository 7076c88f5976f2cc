import parso


def once():
    module = parso.parse("def f(x):\n    return x + 1\n")
    function = next(module.iter_funcdefs())
    leaf = function.get_first_leaf()
    return function.name.value, leaf.parent.type, leaf.get_root_node().type, module.get_code()
