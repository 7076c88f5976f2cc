"""A generator that never ran, and one that ran to its end."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


def numbers(box):
    yield box


def scenario():
    waiting = []
    waiting.append(numbers(waiting))
    done = []
    generator = numbers(done)
    done.append(generator)
    list(generator)
