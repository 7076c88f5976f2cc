"""A function held by its own defaults, keyword defaults, annotations and dict."""


def scenario():
    holder = []

    def handler(a=holder, *, b={"holder": holder}) -> holder:
        "What it does."
        return a, b

    handler.tag = holder
    holder.append(handler)
