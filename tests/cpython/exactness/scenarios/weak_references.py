"""A child with a weak reference to its parent dies by the count; one more loop does not."""

import weakref


class Parent:
    def __init__(self):
        self.children = []


class Child:
    def __init__(self, parent):
        self.parent = weakref.ref(parent)
        parent.children.append(self)


def scenario():
    parent = Parent()
    Child(parent)
    strong = Parent()
    strong.children.append(strong)
    strong.proxy = weakref.proxy(strong)
    strong.ref = weakref.ref(strong)
