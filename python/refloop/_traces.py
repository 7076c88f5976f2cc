"""Which file each process of a test run records into: with pytest-xdist every worker its own."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import List, Optional

#: By this the controller tells the workers that it starts where to record. They take it out of their environment, so
#: that a pytest that a test starts is no worker.
VARIABLE = "REFLOOP_XDIST_TRACE"


class Traces:
    """The traces of all workers, as the controller of pytest-xdist sees them."""

    def __init__(self, named: Optional[str]) -> None:
        self._workers: List[str] = []
        self._folder = None if named else tempfile.mkdtemp(prefix="refloop-")
        self._base = Path(named).absolute() if named else Path(str(self._folder), "run.reftrace")
        os.environ[VARIABLE] = str(self._base)

    def expect(self, worker: str) -> None:
        """A worker begins: also what it writes before it crashes counts."""
        path = Path(_of_worker(str(self._base), worker))
        if path.is_file():
            path.unlink()
        self._workers.append(worker)

    def found(self) -> List[str]:
        """The traces that are there, in the order in which their workers began."""
        paths = [_of_worker(str(self._base), worker) for worker in self._workers]
        return [path for path in paths if Path(path).is_file()]

    def discard(self) -> None:
        """Removes the traces that nobody asked to keep."""
        os.environ.pop(VARIABLE, None)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def trace_of_worker() -> Optional[str]:
    """Where this process shall record, if it is a worker; the second time nothing."""
    base = os.environ.pop(VARIABLE, None)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return _of_worker(base, worker) if base and worker else None


def _of_worker(base: str, worker: str) -> str:
    """``out.gw0.reftrace`` for ``out.reftrace``."""
    path = Path(base)
    return str(path.with_name(f"{path.stem}.{worker}{path.suffix}"))
