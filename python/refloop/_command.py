"""Where the ``refloop`` command is, and how it is asked."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Iterator, Optional, Sequence

from refloop._errors import RefloopError

#: Names the command, wherever it is; for builds that are not installed.
COMMAND_VARIABLE = "REFLOOP_BINARY"


def find_command() -> str:
    """The path of the command that belongs to this package, else the one on ``PATH``."""
    named = os.environ.get(COMMAND_VARIABLE)
    if named:
        if Path(named).is_file():
            return named
        raise RefloopError(f"{COMMAND_VARIABLE} names '{named}', which is no file")
    for folder in _script_folders():
        command = folder / _executable("refloop")
        if command.is_file():
            return str(command)
    on_path = shutil.which("refloop")
    if on_path:
        return on_path
    raise RefloopError("the refloop command was not found: neither in this Python's scripts nor on PATH")


def ask(arguments: Sequence[str], folder: Optional[str] = None) -> "subprocess.CompletedProcess[str]":
    """Runs the command in ``folder`` and returns what it said; its exit code is the caller's to judge."""
    command = find_command()
    try:
        return subprocess.run(
            [command, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise RefloopError(f"cannot run {command}: {error.strerror or error}") from None


def last_line(text: str) -> str:
    """The last line that says something, without the command's own ``error: ``."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[-1] if lines else ""
    return line[len("error: ") :] if line.startswith("error: ") else line


def _script_folders() -> Iterator[Path]:
    """The folders into which an installer may have put the command, the likeliest first."""
    yield Path(sys.executable).parent
    yield Path(sysconfig.get_path("scripts"))
    user_scheme = f"{os.name}_user"
    if user_scheme in sysconfig.get_scheme_names():
        yield Path(sysconfig.get_path("scripts", user_scheme))
    # `pip install --target FOLDER` puts commands into FOLDER/bin.
    yield Path(__file__).resolve().parent.parent / "bin"


def _executable(name: str) -> str:
    return f"{name}.exe" if os.name == "nt" else name
