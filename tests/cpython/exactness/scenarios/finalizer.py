"""Objects with `__del__` in a loop."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


class Resource:
    log = 0

    def __del__(self):
        Resource.log += 1


def scenario():
    one, two = Resource(), Resource()
    one.other, two.other = two, one
    three = Resource()
    three.items = [three, "held text" * 4]
