"""The package on its own: where it looks for the command, what it makes of the answer, what it does with the agent."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refloop import RefloopError, _agent, _analysis, _command, _recording
from refloop._errors import ConfigurationError

ROW = {
    "fingerprint": "3f9c0a115e8d7b42",
    "path": "Order.items[*] → Line.order → Order",
    "steps": [{"label": "Order", "type": "shop.Order", "slot": ".items[*]"}],
    "count": 1240,
    "objects": 2480,
    "total_bytes": 1_949_999,
    "held_objects": 3,
    "collected": 1180,
    "owner": "application",
    "site": [
        {"path": "app.py", "line": 42, "function": "make_order"},
        {"path": "tests/test_app.py", "line": 7, "function": "test_order"},
        {"path": "/venv/lib/python3.13/site-packages/_pytest/python.py", "line": 159, "function": "pytest_pyfunc_call"},
    ],
    "definitions": [],
    "other_sites": 2,
    "marks": {"test tests/test_app.py::test_order": 40, "session collection": 1200},
    "pattern": "child points back to its parent",
    "advice": "let the child refer to its parent weakly",
    "cut": {"reference": "Line.order", "replacement": "weakref.ref(order)", "alternatives": []},
    "standing": {"name": "fails", "reason": None},
    "text": [
        "LOOP 3f9c0a115e8d7b42  1,240 × 2 objects, 1.9 MB with what they hold",  # noqa: RUF001
        "    Order.items[*] → Line.order → Order",
    ],
    "types": {"members": {"shop.Order": 1, "shop.Line": 1}, "held": {}},
}


class Module:
    """A pretended extension module that remembers what it was told."""

    __file__ = "/nowhere/_refloop.so"

    def __init__(self):
        self.calls = []
        self.trace = None

    def start(self, folder, version, executable, types, options):
        assert (folder, version[:2]) == ("/nowhere", "3.")
        self.calls.append("start")
        self.trace = options.splitlines()[0][len("output=") :]
        return ""

    def stop(self):
        self.calls.append("stop")
        self.trace = None

    def phase(self, kind, label):
        self.calls.append(f"phase {kind} {label}")

    def checkpoint(self):
        self.calls.append("checkpoint")

    def sweep_since(self, anchor):
        self.calls.append("sweep since")
        return 0

    def sweep(self, generation):
        assert generation == 2
        self.calls.append("sweep")
        return 7

    def flush(self):
        self.calls.append("flush")

    def is_recording(self):
        return self.trace is not None

    def path(self):
        return self.trace

    def events(self):
        return "survivors"

    def _collection(self, phase, info):
        pass

    def _exit(self):
        pass

    def _forked(self):
        pass


@pytest.fixture
def agent(monkeypatch):
    agent = Module()
    monkeypatch.setitem(sys.modules, _agent.MODULE, agent)
    monkeypatch.setattr(gc, "callbacks", [])
    return agent


@pytest.fixture
def answer(monkeypatch):
    def say(code, stdout="", stderr=""):
        done = subprocess.CompletedProcess([], code, stdout, stderr)
        monkeypatch.setattr(_analysis, "ask", lambda *arguments: done)

    return say


def test_a_loop_is_written_as_the_command_writes_it():
    assert _analysis.Loop(ROW).text(1240, "this test").splitlines() == ROW["text"]
    assert (
        _analysis.Loop(ROW).text(40, "this test").splitlines()
        == [
            "LOOP 3f9c0a115e8d7b42  40 in this test",
            "     of 1,240 × 2 objects, 1.9 MB with what they hold",  # noqa: RUF001
            *ROW["text"][1:],
        ]
    )


def test_what_is_not_counted_stands_beside_the_verdict():
    gate = {"failed": False, "not_counted": ["1 of packages and the standard library", "2 in the baseline"]}
    analysis = _analysis.Analysis({"loops": [], "findings": [], "gate": gate})
    assert analysis.not_counted() == " (not counted: 1 of packages and the standard library, 2 in the baseline)"
    assert _analysis.Analysis({"loops": [], "findings": [], "gate": None}).not_counted() == ""


def test_other_findings_that_fail_the_gate_are_told():
    finding = {"rule": "imbalance", "message": "broken", "fingerprint": "1", "standing": {"name": "fails"}}
    analysis = _analysis.Analysis({"loops": [], "findings": [finding], "gate": {"failed": True}})
    assert analysis.others == ["imbalance: broken"]
    assert not analysis.strict


def test_a_strict_gate_fails_without_a_finding():
    analysis = _analysis.Analysis({"loops": [], "findings": [], "gate": {"failed": True, "gone": ["1 A.a → A"]}})
    assert analysis.strict
    assert analysis.notes == ["in the baseline, but no longer there: 1 A.a → A"]


@pytest.mark.parametrize(("code", "error"), [(2, ConfigurationError), (3, RefloopError), (101, RefloopError)])
def test_an_answer_that_is_none_is_an_error_with_the_commands_words(answer, code, error):
    answer(code, "", "warning: x\nerror: refloop.toml:1: unknown key\n")
    with pytest.raises(error, match=r"^refloop.toml:1: unknown key$"):
        _analysis.check(["x"])


@pytest.mark.parametrize("stdout", ["", "{", "[]", "{}", '{"loops": [{}], "gate": null, "findings": []}'])
def test_an_answer_that_cannot_be_understood_is_an_error(answer, stdout):
    answer(0, stdout)
    with pytest.raises(RefloopError, match="cannot understand"):
        _analysis.check(["x"])


def test_a_recording_begins_marks_and_ends_once(agent, tmp_path):
    with _recording.record(tmp_path / "out.reftrace") as recording:
        recording.mark("iteration", "1")
        assert recording.sweep() == 7
        assert agent.trace == str(tmp_path / "out.reftrace")
    recording.stop()
    recording.mark("too", "late")
    assert agent.calls == ["start", "phase iteration 1", "sweep", "checkpoint", "stop"]


def test_a_recording_that_goes_on_is_joined_and_not_ended(agent):
    agent.trace = "/traces/run.reftrace"
    recording = _recording.Recording.begin()
    recording.discard()
    assert (recording.path, agent.calls) == ("/traces/run.reftrace", ["flush"])


def test_a_temporary_recording_goes_with_its_owner(agent):
    recording = _recording.Recording.begin()
    folder = Path(recording.path).parent
    assert folder.is_dir()
    recording.discard()
    assert not folder.exists()


def test_marks_without_a_recording_do_nothing(agent, monkeypatch):
    _recording.mark("iteration", "1")
    _recording.checkpoint()
    monkeypatch.delitem(sys.modules, _agent.MODULE)
    _recording.mark("iteration", "1")
    assert agent.calls == []


def test_an_agent_of_another_version_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, _agent.MODULE, object())
    with pytest.raises(RefloopError, match="older than this package"):
        _recording.Recording.begin()


def test_an_agent_that_may_take_one_mode_for_another_is_refused(agent, monkeypatch):
    monkeypatch.delattr(Module, "events")
    with pytest.raises(RefloopError, match="older than this package"):
        _recording.Recording.begin(events="leaks")
    assert agent.calls == []


def test_the_command_is_the_one_that_is_named(monkeypatch, tmp_path):
    command = tmp_path / "refloop"
    monkeypatch.setenv(_command.COMMAND_VARIABLE, str(command))
    with pytest.raises(RefloopError, match="which is no file"):
        _command.find_command()
    command.write_text("")
    assert _command.find_command() == str(command)


def test_the_command_beside_python_comes_before_path(monkeypatch, tmp_path):
    monkeypatch.delenv(_command.COMMAND_VARIABLE, raising=False)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "path").mkdir()
    monkeypatch.setattr(_command, "_script_folders", lambda: iter([tmp_path / "scripts"]))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(RefloopError, match="was not found"):
        _command.find_command()
    for folder in ("path", "scripts"):
        command = tmp_path / folder / "refloop"
        command.write_text("")
        command.chmod(0o755)
        assert _command.find_command() == os.fspath(command)


def test_another_python_is_refused_by_name(monkeypatch):
    monkeypatch.delitem(sys.modules, _agent.MODULE, raising=False)
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    with pytest.raises(RefloopError, match=r"^pypy is not CPython$"):
        _agent.load_agent()
