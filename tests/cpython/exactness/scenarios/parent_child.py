"""Parents hold their children in a list, children point back."""


class Parent:
    def __init__(self):
        self.children = []


class Child:
    def __init__(self, parent):
        self.parent = parent
        parent.children.append(self)


def scenario():
    for _ in range(10):
        parent = Parent()
        for _ in range(5):
            Child(parent)
