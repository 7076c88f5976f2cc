"""Runs tests once more, with the stack of every birth, and tells where the loops are made that they leave behind."""

import gc
from typing import Dict, List

import pytest
from _pytest.runner import runtestprotocol

from refloop._analysis import Loop, check
from refloop._phases import TEST
from refloop._recording import Recording


def made_again(items: "List[pytest.Item]", folder: str) -> Dict[str, Loop]:
    """The loops with a stack, by fingerprint. What the tests say this time counts for nothing.

    What is garbage before is collected, for it has no stack.
    """
    gc.collect()
    recording = Recording.begin(events="survivors")
    try:
        for item, following in zip(items, [*items[1:], None]):
            recording.mark(TEST, item.nodeid)
            runtestprotocol(item, log=False, nextitem=following)
        recording.sweep()
        recording.stop()
        loops = check([recording.path], folder).loops
    finally:
        recording.discard()
    return {loop.fingerprint: loop for loop in loops if loop.site}
