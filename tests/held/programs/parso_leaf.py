import parso


def leaf_of(text):
    return parso.parse(text).get_first_leaf()


def once():
    leaf = leaf_of("x = 1\ny = 2\n")
    return leaf.value, leaf.get_next_leaf().value, leaf.get_root_node().get_code()
