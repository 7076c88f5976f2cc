"""The recording of a process that runs tests: marks each test, and looks after each for what it left behind."""

import sys
import time
from typing import Any, Generator, List, Optional

import pytest

from refloop._errors import RefloopError
from refloop._recording import Recording
from refloop._traces import trace_of_worker

#: The kind of the marks of tests; everything else is marked ``session``.
TEST = "test"

#: The attribute of a test report that carries the reason of ``@pytest.mark.refloop(ignore=…)``; xdist passes it on.
IGNORED = "refloop_ignored"

#: Looks at the whole heap may take this share of the time, and this one where a module ends.
SHARE = 0.01
SHARE_AT_END = 0.03


class Run:
    """The recording of the process that runs tests, or the reason why there is none."""

    def __init__(self) -> None:
        self.recording: Optional[Recording] = None
        self.problem: Optional[str] = None

    def begin(self, trace: Optional[str], *, stacks: bool) -> None:
        """Records from now on, unless it does already or cannot. Without a name: into a temporary file.

        With ``stacks`` all births are noted, else those of classes that have left loops behind before.
        """
        if self.recording is not None or self.problem is not None:
            return
        try:
            self.recording = Recording.begin(trace, events="survivors" if stacks else "leaks")
            self.recording.mark("session", "start")
        except RefloopError as error:
            self.problem = str(error)

    def begin_worker(self, *, stacks: bool) -> None:
        """The same for a worker of pytest-xdist that was not told in time, or not at all."""
        trace = trace_of_worker()
        if trace is not None:
            self.begin(trace, stacks=stacks)
        elif self.recording is None and self.problem is None:
            self.problem = "a worker on another machine cannot hand over its recording"

    def abandon(self) -> None:
        if self.recording is not None:
            self.recording.discard()
            self.recording = None


class Phases:
    """Marks each test in the recording, and looks after each for what it left behind."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._failed: Optional[str] = None
        #: Seconds that the last look at the whole heap took, and when it ended.
        self._cost = 0.0
        self._looked = 0.0
        #: Tests have run since then.
        self._is_behind = False
        #: Made before anything that the test that runs, or what follows the last look at the whole heap, has made.
        self._anchor: List[object] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self) -> Generator[None, Any, None]:
        recording = self._run.recording
        if recording is None:
            yield
            return
        self._look_at_all(recording)
        recording.mark("session", "between tests")
        yield
        if self._is_behind:
            recording.sweep()
        else:
            recording.sweep_since(self._anchor)
        recording.stop()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: "pytest.Item", nextitem: "Optional[pytest.Item]"
    ) -> Generator[None, Any, None]:
        recording = self._run.recording
        if recording is None:
            yield
            return
        self._forget_failure(recording)
        recording.mark(TEST, item.nodeid)
        self._anchor = []
        yield
        self._look(recording, ends=nextitem is None or _module(nextitem) != _module(item))
        recording.mark("session", "between tests")
        self._failed = item.nodeid if hasattr(sys, "last_value") else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: "pytest.Item") -> None:
        for marker in item.iter_markers("refloop"):
            reason = marker.kwargs.get("ignore")
            if marker.args or set(marker.kwargs) != {"ignore"} or not isinstance(reason, str) or not reason.strip():
                pytest.fail('the refloop marker needs a reason: @pytest.mark.refloop(ignore="…")', pytrace=False)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: "pytest.Item") -> Generator[None, Any, None]:
        outcome = yield
        marker = item.get_closest_marker("refloop")
        if marker is not None:
            setattr(outcome.get_result(), IGNORED, str(marker.kwargs.get("ignore")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: "pytest.Session") -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["refloop_problem"] = self._run.problem

    def _forget_failure(self, recording: Recording) -> None:
        """Drops the last failed test's exception, as pytest itself does a moment later.

        What becomes garbage with it belongs to the test that failed, and not to the next one.
        """
        failed, self._failed = self._failed, None
        if failed is None:
            return
        recording.mark(TEST, failed)
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            if hasattr(sys, name):
                delattr(sys, name)
        self._look_at_all(recording)

    def _look(self, recording: Recording, *, ends: bool) -> None:
        """Looks for what the test left behind, at a cost in proportion to what it made.

        What is older may have become garbage too, as when the fixtures of a module are torn down: so the whole heap is
        looked at as often as that takes little of the time, and when all tests are done. What is found then belongs to
        no test, where it may be of an earlier one.
        """
        share = SHARE_AT_END if ends else SHARE
        at_all = (time.perf_counter() - self._looked) * share > self._cost
        if self._is_behind or not at_all:
            recording.sweep_since(self._anchor)
        if not at_all:
            self._is_behind = True
            return
        if self._is_behind:
            recording.mark("session", "between tests")
        self._look_at_all(recording)

    def _look_at_all(self, recording: Recording) -> None:
        begun = time.perf_counter()
        recording.sweep()
        self._looked = time.perf_counter()
        self._cost = self._looked - begun
        self._is_behind = False
        self._anchor = []


def _module(item: "pytest.Item") -> str:
    return item.nodeid.split("::", 1)[0]
