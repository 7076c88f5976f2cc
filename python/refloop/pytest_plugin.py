"""``pytest --refloop``: every test that leaves reference loops behind fails, and its report says which.

The process that runs the tests records itself, and looks after each test for what the collector would find, without
collecting. When all tests are done, the traces are analysed once, by the process that reports: with pytest-xdist the
controller, which records nothing itself.
"""

import gc
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, Generator, List, Optional, Tuple

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest.reports import TestReport  # public as pytest.TestReport from 7.0 on only

from refloop._analysis import Analysis, Loop, check, counted, write_baseline
from refloop._errors import ConfigurationError, RefloopError
from refloop._recording import Recording
from refloop._traces import Traces, trace_of_worker

#: The kind of the marks of tests; everything else is marked ``session``.
TEST = "test"

#: The name under which loops are reported that no test made.
SESSION = "refloop-session"

#: The attribute of a test report that carries the reason of ``@pytest.mark.refloop(ignore=…)``; xdist passes it on.
IGNORED = "refloop_ignored"

MARKER = 'refloop(ignore="reason"): accept the reference loops that this test leaves behind'

#: A look at the whole heap after each test may take this many seconds, or this share of the time.
CHEAP = 0.002
SHARE = 0.1

#: Where the recording of a process hangs on its ``Config``: stashes are younger than pytest 6.
RUN = "_refloop_run"


def pytest_addoption(parser: "pytest.Parser") -> None:
    group = parser.getgroup("refloop", "reference loops (refloop)")
    # Flags rather than one option with a value: `pytest --refloop tests/` must not take the folder for the value.
    for flag, mode, text in (
        ("--refloop", "fail", "Record the run, and fail each test that leaves reference loops behind."),
        ("--refloop=fail", "fail", "The same."),
        ("--refloop=report", "report", "Record the run and report its reference loops, but fail nothing."),
    ):
        group.addoption(flag, action="store_const", const=mode, dest="refloop", default=None, help=text)
    group.addoption(
        "--refloop-trace", metavar="FILE", help="Keep the recording (with pytest-xdist: one file for each worker)."
    )
    group.addoption(
        "--refloop-optional",
        action="store_true",
        help="Pass where nothing can be recorded, instead of failing (or `refloop_required = false` in the ini-file).",
    )
    parser.addini("refloop_required", "Fail with --refloop where nothing can be recorded.", type="bool", default=True)
    group.addoption("--refloop-baseline", metavar="FILE", help="A file of loops that are known and accepted.")
    group.addoption(
        "--refloop-write-baseline",
        action="store_true",
        help="Accept what this run finds: write it into the baseline, and fail nothing.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: "pytest.Config") -> None:
    """Begins to record before the first conftest is imported."""
    options = early_config.known_args_namespace
    idle = any(getattr(options, name, False) for name in ("help", "version", "collectonly", "markers", "showfixtures"))
    if not options.refloop or idle:
        return
    trace = trace_of_worker()
    if trace is not None:
        _run(early_config).begin(trace)
    elif not _distributes(options):
        _run(early_config).begin(options.refloop_trace)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: "pytest.Config") -> None:
    config.addinivalue_line("markers", MARKER)
    options = config.option
    if not options.refloop or options.collectonly:
        return
    run = _run(config)
    if hasattr(config, "workerinput"):
        run.begin_worker()
        config.pluginmanager.register(Phases(run), "refloop-phases")
        return
    _check(options)
    if getattr(options, "dist", "no") != "no":
        run.abandon()
        config.pluginmanager.register(Gate(config, None, Traces(options.refloop_trace)), "refloop-gate")
    else:
        run.begin(options.refloop_trace)
        config.pluginmanager.register(Phases(run), "refloop-phases")
        config.pluginmanager.register(Gate(config, run, None), "refloop-gate")


def pytest_unconfigure(config: "pytest.Config") -> None:
    _run(config).abandon()
    gate = config.pluginmanager.get_plugin("refloop-gate")
    if gate is not None and gate.traces is not None:
        gate.traces.discard()


class Run:
    """The recording of the process that runs tests, or the reason why there is none."""

    def __init__(self) -> None:
        self.recording: Optional[Recording] = None
        self.problem: Optional[str] = None

    def begin(self, trace: Optional[str]) -> None:
        """Records from now on, unless it does already or cannot. Without a name: into a temporary file."""
        if self.recording is not None or self.problem is not None:
            return
        try:
            self.recording = Recording.begin(trace)
            self.recording.mark("session", "start")
        except RefloopError as error:
            self.problem = str(error)

    def begin_worker(self) -> None:
        """The same for a worker of pytest-xdist that was not told in time, or not at all."""
        trace = trace_of_worker()
        if trace is not None:
            self.begin(trace)
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
        #: Seconds that the last look at the whole heap took, when it ended, and how many collections there had been.
        self._cost = 0.0
        self._looked = 0.0
        self._collections = 0

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self) -> Generator[None, Any, None]:
        recording = self._run.recording
        if recording is None:
            yield
            return
        self._look_at_all(recording)
        recording.mark("session", "between tests")
        yield
        recording.sweep()
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
        yield
        self._look(recording, item, nextitem)
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

    def _look(self, recording: Recording, item: "pytest.Item", nextitem: "Optional[pytest.Item]") -> None:
        """Looks for what the test left behind.

        What it made is in the two younger generations, unless the collector has moved it to the oldest. What is older
        may have become garbage too: when the fixtures of a class or module are torn down, and now and then. So the
        whole heap is looked at then, and else as often as that takes a tenth of the time or little in all.
        """
        moved = self._collections != _collections()
        scope_ends = nextitem is None or nextitem.parent is not item.parent
        affordable = self._cost < CHEAP or time.perf_counter() - self._looked > self._cost / SHARE
        if moved or scope_ends or affordable:
            self._look_at_all(recording)
        else:
            recording.sweep(1)

    def _look_at_all(self, recording: Recording) -> None:
        begun = time.perf_counter()
        recording.sweep()
        self._looked = time.perf_counter()
        self._cost = self._looked - begun
        self._collections = _collections()


class Gate:
    """Gathers what the tests said, asks for the verdict when they are done, and reports it."""

    def __init__(self, config: "pytest.Config", run: Optional[Run], traces: Optional[Traces]) -> None:
        self._config = config
        self._fails = config.option.refloop == "fail" and not config.option.refloop_write_baseline
        #: A gate that could not look is not green, unless somebody said that it may be.
        self._required = (
            config.option.refloop == "fail"
            and not config.option.refloop_optional
            and bool(config.getini("refloop_required"))
        )
        self._run = run
        self._tests: Dict[str, TestReport] = {}
        self._problems: List[str] = []
        self._analysis: Optional[Analysis] = None
        self._exit = 0
        self._written = ""
        self._is_done = False
        #: Those of workers; ``None`` in a run of one process.
        self.traces = traces

    def pytest_report_header(self) -> str:
        return f"refloop: {self._config.option.refloop}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 (xdist's WorkerController)
        if self.traces is not None:
            self.traces.expect(node.workerinput["workerid"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401
        problem = (getattr(node, "workeroutput", None) or {}).get("refloop_problem")
        if problem:
            self._is_blind(problem)

    def pytest_runtest_logreport(self, report: TestReport) -> None:
        if not self._is_done:
            self._tests[report.nodeid] = report

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, Any, None]:
        """Here rather than at the end of the session: what fails now is counted as every other failure is."""
        outcome = yield
        self._is_done = True
        interrupted = outcome.excinfo is not None and issubclass(outcome.excinfo[0], KeyboardInterrupt)
        if self._tests and not interrupted:
            self._conclude()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: "pytest.Session") -> None:
        if session.exitstatus == 0:
            session.exitstatus = self._exit

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401
        for problem in self._problems:
            failed = self._exit != 0
            terminalreporter.write_line(f"refloop: {problem}", red=failed, yellow=not failed)
        if self._analysis is not None:
            self._tell(self._analysis, terminalreporter)

    def _conclude(self) -> None:
        if self._run is not None and self._run.problem is not None:
            self._is_blind(self._run.problem)
        traces = self._recorded()
        if not traces:
            if not self._problems:
                self._is_blind("no process that runs tests began a recording")
            return
        try:
            self._analysis = self._ask(traces)
        except RefloopError as error:
            self._cannot_judge(error)
            return
        if self._analysis.problem is not None:
            self._cannot_judge(self._analysis.problem)
        if self._fails:
            found = self._by_test(self._analysis)
            terminal = self._config.pluginmanager.get_plugin("terminalreporter")
            if found and terminal is not None:
                # The line of dots is full.
                terminal.ensure_newline()
            for nodeid, loops in found:
                self._fail(nodeid, loops)
            if self._analysis.others or self._analysis.strict:
                self._exit = int(pytest.ExitCode.TESTS_FAILED)

    def _is_blind(self, reason: str) -> None:
        """Tests ran, and nobody looked at what they leave behind."""
        sentence = f"nothing is recorded: {reason}"
        if self._required:
            sentence += " (--refloop-optional passes all the same)"
            self._exit = int(pytest.ExitCode.INTERNAL_ERROR)
        if sentence not in self._problems:
            self._problems.append(sentence)

    def _cannot_judge(self, error: RefloopError) -> None:
        self._problems.append(str(error))
        if self._config.option.refloop == "fail":
            wrong = isinstance(error, ConfigurationError)
            self._exit = int(pytest.ExitCode.USAGE_ERROR if wrong else pytest.ExitCode.INTERNAL_ERROR)

    def _recorded(self) -> List[str]:
        if self.traces is not None:
            return self.traces.found()
        recording = self._run.recording if self._run is not None else None
        return [] if recording is None else [recording.path]

    def _ask(self, traces: List[str]) -> Analysis:
        options = self._config.option
        baseline = ["--baseline", options.refloop_baseline] if options.refloop_baseline else []
        # `rootpath` is younger than pytest 6.0, and `rootdir` on its way out.
        folder = str(getattr(self._config, "rootpath", None) or getattr(self._config, "rootdir", "."))
        if options.refloop_write_baseline:
            self._written = write_baseline(traces, folder, baseline)
        recording = self._run.recording if self._run is not None else None
        running = ["--running"] if recording is not None and recording.goes_on else []
        return check(traces, folder, [*baseline, *running])

    def _by_test(self, analysis: Analysis) -> List[Tuple[str, List[Tuple[Loop, int]]]]:
        """The failing loops of each test that made some, in the order of the tests; then those that no test made.

        Tests whose marker says so are left out.
        """
        failing = analysis.failing
        found = []
        for nodeid, report in self._tests.items():
            loops = [(loop, loop.seen_in(f"{TEST} {nodeid}")) for loop in failing]
            loops = [(loop, here) for loop, here in loops if here]
            if loops and not hasattr(report, IGNORED):
                found.append((nodeid, loops))
        marks = [f"{TEST} {nodeid}" for nodeid in self._tests]
        outside = [(loop, loop.count - sum(loop.seen_in(mark) for mark in marks)) for loop in failing]
        outside = [(loop, here) for loop, here in outside if here > 0]
        return [*found, (SESSION, outside)] if outside else found

    def _fail(self, nodeid: str, loops: List[Tuple[Loop, int]]) -> None:
        """Reports a failure beside what the test said itself, as a failing teardown is."""
        test = self._tests.get(nodeid)
        location = (SESSION, None, SESSION) if test is None else test.location
        report = TestReport(
            nodeid=nodeid,
            location=location,
            keywords={} if test is None else test.keywords,
            outcome="failed",
            longrepr=LoopsText(nodeid, loops, location),
            when="teardown",
        )
        self._config.hook.pytest_runtest_logreport(report=report)
        last_failed = getattr(self._config.pluginmanager.get_plugin("lfplugin"), "lastfailed", {})
        last_failed.pop(SESSION, None)

    def _tell(self, analysis: Analysis, terminal: Any) -> None:  # noqa: ANN401
        found = self._by_test(analysis)
        if found and self._config.option.refloop == "report":
            terminal.section("reference loops")
            for nodeid, loops in found:
                terminal.write_line(_named(nodeid), bold=True)
                for loop, here in loops:
                    terminal.write_line(_text(nodeid, loop, here))
        for sentence in analysis.others:
            terminal.write_line(f"refloop: {sentence}", red=True)
        for note in analysis.notes:
            terminal.write_line(f"refloop: note: {note}", yellow=True)
        if found:
            number = sum(here for _, loops in found for _, here in loops)
            n_tests = sum(1 for nodeid, _ in found if nodeid != SESSION)
            makers = [counted(n_tests, "test")] if n_tests else []
            makers += ["code outside of tests"] if found[-1][0] == SESSION else []
            text = f"{counted(number, 'reference loop')} left behind by {' and '.join(makers)}"
            terminal.write_line(f"refloop: {text}{analysis.not_counted()}", red=True)
        elif not analysis.others and not self._written:
            terminal.write_line(f"refloop: no reference loops found{analysis.not_counted()}", green=True)
        if self._written:
            terminal.write_line(f"refloop: {self._written}", green=True)


class LoopsText(TerminalRepr):
    """What a failing report says: printed as it is, with one line for the short summary."""

    def __init__(self, nodeid: str, loops: List[Tuple[Loop, int]], location: Tuple[str, Optional[int], str]) -> None:
        number = sum(here for _, here in loops)
        lines = [f"{counted(number, 'reference loop')} left behind"]
        lines += [_text(nodeid, loop, here) for loop, here in loops]
        self._text = "\n".join(lines)
        self.reprcrash = ReprFileLocation(location[0], (location[1] or 0) + 1, f"{lines[0]}: {loops[0][0].path}")

    def __str__(self) -> str:
        return self._text

    def toterminal(self, tw: Any) -> None:  # noqa: ANN401
        for line in self._text.split("\n"):
            tw.line(line, red=not line.startswith(" "))


def _collections() -> int:
    """How often the collector has moved objects to the oldest generation."""
    return sum(generation["collections"] for generation in gc.get_stats()[1:])


def _text(nodeid: str, loop: Loop, here: int) -> str:
    return loop.text(here, "this test" if nodeid != SESSION else "no test")


def _named(nodeid: str) -> str:
    return nodeid if nodeid != SESSION else "outside of any test"


def _run(config: "pytest.Config") -> Run:
    run: Optional[Run] = getattr(config, RUN, None)
    if run is None:
        run = Run()
        setattr(config, RUN, run)
    return run


def _distributes(options: Namespace) -> bool:
    """Whether pytest-xdist will run the tests in other processes."""
    workers = getattr(options, "numprocesses", None)
    return bool(workers) or (getattr(options, "dist", "no") != "no" and bool(getattr(options, "tx", None)))


def _check(options: Namespace) -> None:
    """Says what is wrong with the options before any test runs; paths become absolute, tests may change the folder."""
    if not options.refloop_baseline:
        return
    baseline = Path(options.refloop_baseline).absolute()
    if not options.refloop_write_baseline and not baseline.is_file():
        raise pytest.UsageError(f"--refloop-baseline: there is no file '{options.refloop_baseline}'")
    options.refloop_baseline = str(baseline)
