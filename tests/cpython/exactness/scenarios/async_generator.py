"""An asynchronous generator in a loop with its own local."""

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


async def numbers(box):
    me = box
    for index in range(3):
        yield index, me


def scenario():
    box = []
    generator = numbers(box)
    box.append(generator)
    try:
        generator.asend(None).send(None)
    except StopIteration:
        pass
