"""Closures that share cells."""


def scenario():
    state = {"n": 0}

    def first():
        state["n"] += 1
        return second

    def second():
        return first, state

    state["first"] = first
    return None
