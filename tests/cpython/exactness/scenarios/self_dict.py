"""A dict that holds itself, under keys of several kinds."""


def scenario():
    table = {"name": 1, 7: "seven", None: [], (1, 2): {}}
    table["self"] = table
    table[3.5] = table
