"""A pretended extension module: its trace is one JSON line for each mark and for each loop that a test says it made."""

import json
import os
from pathlib import Path

_path = None
_pending = []


def start(folder, version, executable, types, options):
    global _path
    if os.environ.get("FAKE_START"):
        return os.environ["FAKE_START"]
    assert object in types
    _path = dict(line.split("=", 1) for line in options.splitlines())["output"]
    Path(_path).write_text("")
    return ""


def stop():
    global _path
    _write({"stop": True})
    _path = None


def mark(kind, label):
    _write({"mark": f"{kind} {label}"})


phase = mark


def checkpoint():
    _write({"checkpoint": True})


def sweep(generation):
    found = len(_pending)
    for loop in _pending:
        _write(loop)
    _pending.clear()
    return found


def sweep_since(anchor):
    assert isinstance(anchor, list)
    return sweep(0)


def flush():
    pass


def is_recording():
    return _path is not None


def path():
    return _path


def events():
    return "leaks"


def _collection(phase, info):
    pass


def _exit():
    pass


def _forked():
    pass


def leak(loop_path, **fields):
    """What a test calls in place of making a loop."""
    _pending.append({"loop": loop_path, **fields})


def _write(line):
    if _path is not None:
        with Path(_path).open("a") as trace:
            trace.write(json.dumps(line) + "\n")
