"""An exception kept in a local of the frame that its traceback holds."""


def fail(depth):
    if depth:
        fail(depth - 1)
    raise ValueError("no")


def scenario():
    local = ["something of the frame"]
    try:
        fail(3)
    except ValueError as error:
        kept = error
    return None
