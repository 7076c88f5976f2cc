"""``pytest --refloop``: every test that leaves reference loops behind fails, and its report says which.

The process that runs the tests records itself, and looks after each test for what the collector would find, without
collecting. When all tests are done, the traces are analysed once, by the process that reports: with pytest-xdist the
controller, which records nothing itself.
"""

from argparse import Namespace
from pathlib import Path
from typing import Optional

import pytest

from refloop._gate import Gate
from refloop._phases import Phases, Run
from refloop._traces import Traces, trace_of_worker

MARKER = 'refloop(ignore="reason"): accept the reference loops that this test leaves behind'

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
        "--refloop-stacks",
        action="store_true",
        help="Know where each loop was made, also one that was made once. Tests take longer.",
    )
    group.addoption(
        "--refloop-rerun",
        action="store_true",
        help="Run tests once more that leave a loop behind which was made once, to say where it is made.",
    )
    group.addoption(
        "--refloop-optional",
        action="store_true",
        help="Pass where nothing can be recorded, instead of failing (or `refloop_required = false` in the ini-file).",
    )
    parser.addini("refloop_required", "Fail with --refloop where nothing can be recorded.", type="bool", default=True)
    parser.addini("refloop_classes", "Count the classes that a test made and threw away.", type="bool", default=False)
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
        _run(early_config).begin(trace, stacks=options.refloop_stacks)
    elif not _distributes(options):
        _run(early_config).begin(options.refloop_trace, stacks=options.refloop_stacks)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: "pytest.Config") -> None:
    config.addinivalue_line("markers", MARKER)
    options = config.option
    if not options.refloop or options.collectonly:
        return
    run = _run(config)
    if hasattr(config, "workerinput"):
        run.begin_worker(stacks=options.refloop_stacks)
        config.pluginmanager.register(Phases(run), "refloop-phases")
        return
    _check(options)
    if getattr(options, "dist", "no") != "no":
        run.abandon()
        config.pluginmanager.register(Gate(config, None, Traces(options.refloop_trace)), "refloop-gate")
    else:
        run.begin(options.refloop_trace, stacks=options.refloop_stacks)
        config.pluginmanager.register(Phases(run), "refloop-phases")
        config.pluginmanager.register(Gate(config, run, None), "refloop-gate")


def pytest_unconfigure(config: "pytest.Config") -> None:
    _run(config).abandon()
    gate = config.pluginmanager.get_plugin("refloop-gate")
    if gate is not None and gate.traces is not None:
        gate.traces.discard()


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
