"""A suspended coroutine that is a local of its own frame."""

import types

#: Finalizers run between the moment of the snapshot and that of `gc.garbage`.
FINALIZERS = True


@types.coroutine
def pause():
    yield


async def work(box):
    me = box
    await pause()
    return me


def scenario():
    box = {}
    coroutine = work(box)
    box["coroutine"] = coroutine
    coroutine.send(None)
