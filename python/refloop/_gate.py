"""The verdict on a run of tests: gathers what the tests said, asks the command when they are done, and reports it."""

from typing import Any, Dict, Generator, List, Optional

import pytest
from _pytest.reports import TestReport  # public as pytest.TestReport from 7.0 on only

from refloop._analysis import Analysis, check, counted, write_baseline
from refloop._entries import CLASS, Entry, Failure, failures, page, summary
from refloop._errors import ConfigurationError, RefloopError
from refloop._phases import IGNORED, TEST, Run
from refloop._rerun import made_again
from refloop._traces import Traces

#: How the stacks are found that a report has not.
STACKS = "no stack tells where a loop was made that was made once: --refloop --refloop-stacks finds it"


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
        #: The kinds of loops that fail, and how many loops are classes which a test made.
        self._entries: List[Entry] = []
        self._classes = 0
        #: Tests that were run once more, to find stacks.
        self._reruns = 0
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
    def pytest_runtestloop(self, session: "pytest.Session") -> Generator[None, Any, None]:
        """Here rather than at the end of the session: what fails now is counted as every other failure is."""
        outcome = yield
        self._is_done = True
        interrupted = outcome.excinfo is not None and issubclass(outcome.excinfo[0], KeyboardInterrupt)
        if self._tests and not interrupted:
            self._conclude(session)

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

    def _conclude(self, session: "pytest.Session") -> None:
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
        self._take(self._analysis)
        if self._config.option.refloop_rerun:
            self._find_stacks(session)
        if self._fails:
            terminal = self._config.pluginmanager.get_plugin("terminalreporter")
            if self._entries and terminal is not None:
                # The line of dots is full.
                terminal.ensure_newline()
            for failure in failures(self._entries):
                self._fail(failure)
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
        folder = self._folder()
        if options.refloop_write_baseline:
            self._written = write_baseline(traces, folder, baseline)
        recording = self._run.recording if self._run is not None else None
        running = ["--running"] if recording is not None and recording.goes_on else []
        return check(traces, folder, [*baseline, *running])

    def _folder(self) -> str:
        # `rootpath` is younger than pytest 6.0, and `rootdir` on its way out.
        return str(getattr(self._config, "rootpath", None) or getattr(self._config, "rootdir", "."))

    def _find_stacks(self, session: "pytest.Session") -> None:
        """Runs, of each kind of loop without a stack, the first test that has it once more."""
        unknown = [entry for entry in self._entries if entry.tests and not entry.loop.site]
        if not unknown:
            return
        recording = self._run.recording if self._run is not None else None
        if recording is None or recording.goes_on:
            self._problems.append(
                "--refloop-rerun runs nothing once more with pytest-xdist, or in a process recorded already"
            )
            return
        first = {next(iter(entry.tests)) for entry in unknown}
        items = [item for item in session.items if item.nodeid in first]
        try:
            loops = made_again(items, self._folder())
        except RefloopError as error:
            self._problems.append(f"--refloop-rerun: {error}")
            return
        self._reruns = len(items)
        for entry in unknown:
            again = loops.get(entry.loop.fingerprint)
            if again is not None:
                entry.loop.take_stack(again)

    def _take(self, analysis: Analysis) -> None:
        """Takes the failing kinds of loops, with the tests that made some. Tests whose marker says so are left out."""
        order = {f"{TEST} {nodeid}": place for place, nodeid in enumerate(self._tests)}
        counts_classes = bool(self._config.getini("refloop_classes"))
        for loop in analysis.failing:
            marks = sorted((mark for mark in loop.marks if mark in order), key=order.__getitem__)
            made = {mark[len(TEST) + 1 :]: loop.marks[mark] for mark in marks}
            outside = loop.count - sum(made.values())
            if made and loop.pattern == CLASS and not counts_classes:
                self._classes += loop.count - outside
                made = {}
            tests = {nodeid: here for nodeid, here in made.items() if not hasattr(self._tests[nodeid], IGNORED)}
            if tests or outside > 0:
                self._entries.append(Entry(loop, tests, max(outside, 0)))

    def _fail(self, failure: Failure) -> None:
        """Reports a failure beside what the test said itself, as a failing teardown is."""
        test = self._tests.get(failure.name)
        place, _, name = failure.name.partition("::")
        location = (place, None, name or place) if test is None else test.location
        report = TestReport(
            nodeid=failure.name,
            location=location,
            keywords={} if test is None else test.keywords,
            outcome="failed",
            longrepr=failure.text(location),
            when="teardown",
        )
        self._config.hook.pytest_runtest_logreport(report=report)
        if test is None:
            last_failed = getattr(self._config.pluginmanager.get_plugin("lfplugin"), "lastfailed", {})
            last_failed.pop(failure.name, None)

    def _tell(self, analysis: Analysis, terminal: Any) -> None:  # noqa: ANN401
        entries = self._entries
        if entries and self._config.option.refloop == "report":
            terminal.section("reference loops")
            for text in page(entries):
                terminal.write_line(text)
        for sentence in analysis.others:
            terminal.write_line(f"refloop: {sentence}", red=True)
        for note in analysis.notes:
            terminal.write_line(f"refloop: note: {note}", yellow=True)
        classes = [f"{counted(self._classes, 'class', 'classes')} made in tests"] if self._classes else []
        left_out = analysis.not_counted(classes)
        if entries:
            terminal.write_line(f"refloop: {summary(entries)}{left_out}", red=True)
            if self._reruns:
                ran = counted(self._reruns, "test ran", "tests ran")
                terminal.write_line(f"refloop: {ran} once more, with all stacks, to see where loops are made")
            if any(not entry.loop.site for entry in entries) and not self._config.option.refloop_stacks:
                terminal.write_line(f"refloop: {STACKS}")
            if self._fails:
                terminal.write_line("refloop: --refloop-write-baseline accepts what there is; what is new fails then")
        elif not analysis.others and not self._written:
            terminal.write_line(f"refloop: no reference loops found{left_out}", green=True)
        if self._written:
            terminal.write_line(f"refloop: {self._written}", green=True)
