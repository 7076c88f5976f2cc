"""A project in a folder of its own, and pytest runs in it as a user would start them."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent / "python"

# The package of the checkout, also where none or another one is installed.
sys.path.insert(0, str(PACKAGE))


class Project:
    """Files, and the environment in which pytest runs among them."""

    def __init__(self, folder, command, paths):
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "FAKE_"))}
        self.environment["REFLOOP_BINARY"] = str(command)
        self.environment["PYTHONPATH"] = os.pathsep.join(map(str, [*paths, PACKAGE]))
        self.environment["TMPDIR"] = str(folder / "tmp")
        self.environment.pop("NO_COLOR", None)
        (folder / "tmp").mkdir()

    def write(self, **files):
        for name, text in files.items():
            path = self.folder / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(dedent(text))

    def python(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=str(self.folder),
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def pytest(self, *arguments, **environment):
        loaded = [] if _is_installed() else ["-p", "refloop.pytest_plugin"]
        return self.python("-m", "pytest", *loaded, "-p", "no:cacheprovider", *arguments, **environment)

    def left_in_tmp(self):
        return sorted(path.name for path in (self.folder / "tmp").glob("refloop-*"))


def _is_installed():
    """Whether pytest finds the plugin by its entry point."""
    from importlib import metadata

    try:
        metadata.distribution("refloop")
    except metadata.PackageNotFoundError:
        return False
    return True


@pytest.fixture
def pretended(tmp_path):
    """A project whose agent and command are pretended: everything but the recording is real."""
    command = tmp_path / "bin" / "refloop"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{HERE / "fakes" / "command.py"}" "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, command, [HERE / "fakes"])


@pytest.fixture
def project(tmp_path):
    """A project that is really recorded."""
    command = os.environ.get("REFLOOP_BINARY")
    if not command:
        pytest.skip("REFLOOP_BINARY does not name a refloop command")
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, command, [])
