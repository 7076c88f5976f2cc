"""Recording the running process: begin, mark phases, look, end."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import Callable, List, Optional, Type, Union

from refloop._agent import Agent, load_agent, running_agent
from refloop._errors import RefloopError


class Recording:
    """A trace that is being written, by this object or, if the process was recorded before, by somebody else.

    Used as a context manager, it ends with the block.
    """

    def __init__(self, agent: Agent, path: str, *, begun_here: bool) -> None:
        self._agent = agent
        self._begun_here = begun_here
        self._remove: Callable[[], object] = lambda: None
        self._running = True
        #: The file that is written.
        self.path = path

    @classmethod
    def begin(
        cls, path: Union[str, "os.PathLike[str]", None] = None, *, events: str = "survivors", forks: bool = False
    ) -> "Recording":
        """Begins to record into ``path``, or into a temporary file that ``discard`` removes.

        ``events`` is what ``refloop record --events`` takes. With ``forks``, children of a fork are recorded too, each
        into a file beside it.

        Joins the recording that is going on, if there is one: then ``path`` must be ``None``.
        """
        agent = load_agent()
        if agent.is_recording():
            running = agent.path()
            if path is not None:
                raise RefloopError(f"this process is recorded already, into {running}")
            return cls(agent, running, begun_here=False)
        folder = None if path is not None else tempfile.mkdtemp(prefix="refloop-")
        target = str(Path(path).absolute()) if path is not None else str(Path(str(folder), "run.reftrace"))
        _make_way(Path(target))
        try:
            agent.start(target, events=events, forks=forks)
        except RefloopError:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        recording = cls(agent, agent.path() or target, begun_here=True)
        if folder is not None:
            # Also where nobody discards it, as the interpreter ends.
            recording._remove = weakref.finalize(recording, shutil.rmtree, folder, ignore_errors=True)
        return recording

    @property
    def goes_on(self) -> bool:
        """Whether somebody else began it, and will end it: its trace is not complete before that."""
        return not self._begun_here

    def mark(self, kind: str, label: str) -> None:
        """What follows belongs to this phase: a test, a request, an iteration."""
        if self._running:
            self._agent.phase(kind, label)

    def sweep(self, generation: int = 2) -> int:
        """Writes what ``gc.collect(generation)`` would find now, and collects nothing. Returns how many objects."""
        return self._agent.sweep(generation) if self._running else 0

    def sweep_since(self, anchor: List[object]) -> int:
        """Writes what the collector would find of what was made after ``anchor``, at a cost in proportion to that."""
        return self._agent.sweep_since(anchor) if self._running else 0

    def checkpoint(self) -> None:
        """Writes the whole heap as it is now; what ``refloop types`` and ``refloop slots`` are computed from."""
        if self._running:
            self._agent.checkpoint()

    def stop(self) -> None:
        """Ends the recording, if it was begun here; else its file has all until now. A second time does nothing."""
        if self._running:
            self._agent.stop() if self._begun_here else self._agent.flush()
        self._running = False

    def discard(self) -> None:
        """Ends the recording, and removes the file if it is a temporary one."""
        self.stop()
        self._remove()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._begun_here:
            self.checkpoint()
        self.stop()


def _make_way(path: Path) -> None:
    """Takes away an older trace: the recorder overwrites nothing."""
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RefloopError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def record(path: Union[str, "os.PathLike[str]"]) -> Recording:
    """Records this process into ``path`` from now on.

    ``with refloop.record("out.reftrace"):`` records the block and ends with a checkpoint of the whole heap; else call
    ``stop()`` on what is returned. Objects that are older than the recording are known, but not where they were made.
    """
    return Recording.begin(path, forks=True)


def mark(kind: str, label: str) -> None:
    """Begins a phase in the recording that is going on, with a checkpoint of the heap as the phase before left it.

    Does nothing when nothing is recorded.
    """
    agent = running_agent()
    if agent is not None:
        agent.mark(kind, label)


def checkpoint() -> None:
    """Writes the whole heap into the recording that is going on; does nothing when there is none."""
    agent = running_agent()
    if agent is not None:
        agent.checkpoint()
