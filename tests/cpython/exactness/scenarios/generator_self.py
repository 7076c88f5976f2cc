"""A suspended generator that is a local of its own frame."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


def scenario():
    def numbers(box):
        me = box
        for index in range(3):
            yield index, me

    box = []
    generator = numbers(box)
    box.append(generator)
    next(generator)
