"""A function that calls itself through its own cell."""


def scenario():
    big = ["big"] * 10

    def walk(depth):
        return walk(depth - 1) if depth else big

    return None
