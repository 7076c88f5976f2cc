"""`__del__` brings the object back."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True

KEPT = []


class Phoenix:
    def __del__(self):
        KEPT.append(self)


def scenario():
    del KEPT[:]
    bird = Phoenix()
    bird.nest = {"bird": bird}
