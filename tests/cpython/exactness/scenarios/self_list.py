"""A list that holds itself."""


def scenario():
    items = []
    items.append(items)
