"""A bound method stored on its own instance, and a built-in one."""


class Button:
    def __init__(self):
        self.on_click = self.clicked
        self.items = []
        self.add = self.items.append
        self.items.append(self)

    def clicked(self):
        return self


def scenario():
    Button()
