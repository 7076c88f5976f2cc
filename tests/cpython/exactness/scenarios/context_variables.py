"""A context variable's value holds the context."""

import contextvars

VARIABLE = contextvars.ContextVar("variable")


def scenario():
    context = contextvars.copy_context()
    box = [context]
    context.run(VARIABLE.set, box)
    context.run(VARIABLE.set, [box])
