"""A context manager made by a generator, kept by what it manages."""

import contextlib

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Owner:
    pass


@contextlib.contextmanager
def managed(owner):
    yield owner


def scenario():
    owner = Owner()
    owner.stack = contextlib.ExitStack()
    owner.stack.enter_context(managed(owner))
    owner.stack.callback(owner.stack.close)
