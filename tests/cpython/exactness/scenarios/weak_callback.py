"""A weak reference whose callback closes over the object that holds it."""

import weakref

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Target:
    pass


def scenario():
    target = Target()
    holder = {}

    def gone(ref):
        holder.clear()

    holder["ref"] = weakref.ref(target, gone)
    holder["gone"] = gone
    target.me = target
    weakref.finalize(target, len, "xx").atexit = False
