"""A tuple that holds itself through a list."""


def scenario():
    items = []
    pair = (items, "x" * 50)
    items.append(pair)
