"""Sets and frozen sets whose elements point back."""


class Item:
    pass


class Tags(set):
    pass


def scenario():
    item = Item()
    item.owner = {item, Item(), "text"}
    item.frozen = frozenset([item, 1, 2])
    tags = Tags(Item() for _ in range(50))
    for tag in tags:
        tag.tags = tags
    item.tags = tags
