"""Record what a Python program does with its objects, and name the reference loops that it leaves behind.

The work is done by the ``refloop`` command; this package finds it, records the running process with the agent that the
command carries, and holds the pytest plugin (``pytest --refloop``). It needs nothing beside the standard library.
"""

from refloop._block import ReferenceLoops, no_loops
from refloop._errors import RefloopError, RefloopWarning
from refloop._recording import Recording, checkpoint, mark, record

__all__ = [
    "Recording",
    "ReferenceLoops",
    "RefloopError",
    "RefloopWarning",
    "checkpoint",
    "mark",
    "no_loops",
    "record",
]
