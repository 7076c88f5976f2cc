"""Generators that delegate to each other, with values on their stacks."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


def scenario():
    def inner(holder):
        with_local = {"holder": holder}
        yield with_local

    def outer(holder):
        for item in [1, 2, 3]:
            yield from inner(holder)

    holder = []
    generator = outer(holder)
    holder.append(generator)
    next(generator)
