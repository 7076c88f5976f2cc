"""A property object in a loop with a class that is not made by a class statement."""


def scenario():
    box = {}

    def get(self):
        return box

    box["property"] = property(get, get, None, "text")
    Made = type("Made", (dict,), {"value": box["property"]})
    box["made"] = Made(x=box)
