"""The recording agent of this process: loaded already by ``refloop record``, or the one that the command carries."""

import atexit
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, ClassVar, List, Optional, Set

from refloop._command import ask, last_line
from refloop._errors import RefloopError

#: The extension module, which knows by its ``PyInit_`` function what it is called.
MODULE = "_refloop"

#: What is called of it; one that is older has less.
NEEDED = ("start", "stop", "phase", "sweep", "sweep_since", "flush", "is_recording", "path", "events")


class Agent:
    """What the extension module offers, in this package's words."""

    #: Whether the end of the process, and its forks, are told to the module.
    _registered: ClassVar[bool] = False

    def __init__(self, module: Any) -> None:  # noqa: ANN401 (an extension module has no type of its own)
        if not all(hasattr(module, name) for name in NEEDED):
            raise RefloopError("the refloop command that records is older than this package")
        self._module = module

    def start(self, path: str, *, events: str, forks: bool) -> None:
        """Begins to record into ``path``, as ``refloop record --events`` does. ``forks``: children of a fork too."""
        folder = str(Path(self._module.__file__).parent)
        options = f"output={path}\nevents={events}\ndepth=32\nforks={'yes' if forks else 'no'}"
        if "\n" in path:
            raise RefloopError("a name with a line break cannot be recorded into")
        reason = self._module.start(folder, _version(), sys.executable or "", _classes(), options)
        if reason:
            raise RefloopError(reason)
        if not Agent._registered:
            Agent._registered = True
            atexit.register(self._module._exit)
            os.register_at_fork(after_in_child=self._module._forked)

    def stop(self) -> None:
        """Ends the recording; another may begin."""
        self._module.stop()

    def mark(self, kind: str, label: str) -> None:
        """Begins a phase, after a walk of the heap as the one before left it."""
        self._module.mark(kind, label)

    def phase(self, kind: str, label: str) -> None:
        """Begins a phase, and nothing else."""
        self._module.phase(kind, label)

    def checkpoint(self) -> None:
        """Writes the whole heap."""
        self._module.checkpoint()

    def sweep(self, generation: int) -> int:
        """Writes what the collector would find now in this generation and the younger ones, and how many objects."""
        found: int = self._module.sweep(generation)
        return found

    def sweep_since(self, anchor: List[object]) -> int:
        """As ``sweep``, of what was made after ``anchor``, at a cost in proportion to that."""
        found: int = self._module.sweep_since(anchor)
        return found

    def flush(self) -> None:
        """Brings what was written into the file, so that it can be read while the recording goes on."""
        self._module.flush()

    def is_recording(self) -> bool:
        """Whether a trace is being written."""
        return bool(self._module.is_recording())

    def path(self) -> str:
        """The trace that is being written."""
        path: Optional[str] = self._module.path()
        return path or ""


def load_agent() -> Agent:
    """The agent of this process.

    Raises ``RefloopError`` where this interpreter cannot be recorded. Loading it records nothing yet.
    """
    loaded = sys.modules.get(MODULE)
    if loaded is not None:
        return Agent(loaded)
    reason = _why_not()
    if reason:
        raise RefloopError(reason)
    answer = ask(["record", "--print-agent"])
    path = answer.stdout.strip()
    if answer.returncode != 0 or not path:
        raise RefloopError(last_line(answer.stderr) or "the refloop command carries no agent for this platform")
    return Agent(_load(path))


def running_agent() -> Optional[Agent]:
    """The agent, if it records this process: without loading anything."""
    loaded = sys.modules.get(MODULE)
    if loaded is None:
        return None
    agent = Agent(loaded)
    return agent if agent.is_recording() else None


def _load(path: str) -> Any:  # noqa: ANN401
    loader = importlib.machinery.ExtensionFileLoader(MODULE, path)
    spec = importlib.util.spec_from_file_location(MODULE, path, loader=loader)
    if spec is None:
        raise RefloopError(f"cannot load the agent {path}")
    try:
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except (ImportError, OSError) as error:
        raise RefloopError(f"cannot load the agent {path}: {error}") from None
    sys.modules[MODULE] = module
    return module


def _why_not() -> Optional[str]:
    """Why the agent may not be loaded here at all; which versions it records, it says itself."""
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} is not CPython"
    if "t" in getattr(sys, "abiflags", ""):
        return "free-threaded builds of CPython cannot be recorded"
    if hasattr(sys, "gettotalrefcount") or hasattr(sys, "getobjects"):
        return "debug builds of CPython cannot be recorded"
    if sys.maxsize < 2**32:
        return "32-bit builds of CPython cannot be recorded"
    return None


def _version() -> str:
    """``3.13.0``, ``3.13.0rc1``."""
    major, minor, micro, level, serial = sys.version_info
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(level)
    return f"{major}.{minor}.{micro}" + (f"{stage}{serial}" if stage else "")


def _classes() -> List[type]:
    """All classes that there are: what has one of them as its type is an object.

    They are told apart by address: a metaclass may compare and hash its classes in any way, or warn when it does.
    """
    known: Set[int] = {id(object)}
    classes: List[type] = [object]
    for each in classes:
        subclasses: List[type] = type.__subclasses__(each)
        new = [subclass for subclass in subclasses if id(subclass) not in known]
        known.update(map(id, new))
        classes.extend(new)
    return classes
