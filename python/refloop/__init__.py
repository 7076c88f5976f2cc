"""Record what a Python program does with its objects, and name the reference loops that it leaves behind.

The work is done by the ``refloop`` command; this package finds it, records the running process with the agent that the
command carries, and holds the pytest plugin (``pytest --refloop``). It needs nothing beside the standard library.
"""

from typing import TYPE_CHECKING, Any

from refloop._analysis import analyze
from refloop._block import ReferenceLoops, no_loops
from refloop._errors import RefloopError, RefloopWarning
from refloop._recording import Recording, checkpoint, mark, record

if TYPE_CHECKING:
    from refloop._report import Report

__all__ = [
    "Recording",
    "ReferenceLoops",
    "RefloopError",
    "RefloopWarning",
    "Report",
    "analyze",
    "checkpoint",
    "mark",
    "no_loops",
    "record",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (what a module has by name)
    """The types of a report, when they are asked for: a run of tests does without."""
    if name == "Report":
        from refloop._report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 (IPython is not there unless it calls this)
    """``%load_ext refloop`` in a notebook: from there on a cell may begin with ``%%refloop``."""
    from refloop._notebook import register

    register(shell)
