"""Builds the wheel: one for every CPython, on any Linux with glibc 2.17 or newer.

This is the build backend of ``pyproject.toml``, so ``pip wheel .`` makes what a release is. It is maturin with four
additions: zig links, from the package index, so that no newer glibc than named is needed and no C compiler either; no
path of the machine that builds is left in the command; the licences of the crates within, manual pages and completions
are in the wheel. Where zig does not link (another system, another architecture), the rest is the same.

``REFLOOP_SYSTEM_LINKER=1`` builds with the linker of this system: quicker, for a wheel that is used here only.
"""

import base64
import hashlib
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import maturin
from maturin import build_editable, build_sdist, get_requires_for_build_editable, get_requires_for_build_sdist

import licences

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

#: The oldest glibc that a wheel asks for: that of manylinux2014, the oldest that Rust itself supports.
GLIBC = "manylinux_2_17"

ZIG = "ziglang>=0.13"

#: The licences of the crates within; there while the wheel is built.
LICENCES = Path("LICENSE-CRATES.txt")

#: Where each shell looks for completions, below the prefix.
SHELLS = {
    "bash": "share/bash-completion/completions/refloop",
    "fish": "share/fish/vendor_completions.d/refloop.fish",
    "zsh": "share/zsh/site-functions/_refloop",
}

Settings = Optional[Dict[str, Any]]


def get_requires_for_build_wheel(config_settings: Settings = None) -> List[str]:
    """What maturin needs, and zig where it links."""
    return [*maturin.get_requires_for_build_wheel(config_settings), *([ZIG] if _links_with_zig() else [])]


def build_wheel(folder: str, config_settings: Settings = None, metadata: Optional[str] = None) -> str:
    """The wheel's file name, in ``folder``."""
    arguments = shlex.split(os.environ.get("MATURIN_PEP517_ARGS", ""))
    if _links_with_zig():
        arguments += ["--zig", "--compatibility", GLIBC]
    os.environ["MATURIN_PEP517_ARGS"] = shlex.join(arguments)
    _forget_paths()
    LICENCES.write_text(licences.licences(), encoding="utf-8")
    try:
        name: str = maturin.build_wheel(folder, config_settings, metadata)
    finally:
        LICENCES.unlink()
    _add_pages(Path(folder, name))
    return name


def _links_with_zig() -> bool:
    """Whether this is a Linux with glibc of an architecture that zig is published for."""
    return (
        sys.platform == "linux"
        and platform.libc_ver()[0] == "glibc"
        and platform.machine() in ("x86_64", "aarch64")
        and not os.environ.get("REFLOOP_SYSTEM_LINKER")
    )


def _forget_paths() -> None:
    """Tells rustc to write other paths than those of this machine into panics."""
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    flags = [flag for flag in os.environ.get("CARGO_ENCODED_RUSTFLAGS", "").split("\x1f") if flag]
    flags = flags or shlex.split(os.environ.get("RUSTFLAGS", ""))
    for path, name in ((cargo / "registry" / "src", "crates"), (Path.cwd(), "refloop")):
        flags.append(f"--remap-path-prefix={path}=/{name}")
    # In this variable a path may have blanks.
    os.environ["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)


def _add_pages(wheel: Path) -> None:
    """Puts manual pages and completions into the wheel; pip lays them below the prefix, as in ``.venv/share/man``."""
    name, version = wheel.name.split("-")[:2]
    data, record = f"{name}-{version}.data", f"{name}-{version}.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as old, tempfile.TemporaryDirectory() as place:
        entries = [(entry, old.read(entry)) for entry in old.infolist()]
        command = old.extract(f"{data}/scripts/refloop", place)
        Path(command).chmod(0o700)
        try:
            pages = [(f"{data}/data/{path}", page) for path, page in _pages(command)]
        except OSError as error:
            print(f"no manual pages and completions: the command does not run here: {error}", file=sys.stderr)
            return
    lines = [f"{path},sha256={_digest(page)},{len(page)}\n" for path, page in pages]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for entry, content in entries:
            is_record = entry.filename == record
            new.writestr(entry, "".join([*lines, content.decode()]) if is_record else content)
        for path, page in pages:
            information = zipfile.ZipInfo(path, date_time=entries[0][0].date_time)
            information.external_attr = 0o100644 << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(information, page)


def _pages(command: str) -> Iterator[Tuple[str, bytes]]:
    """Each page as the command itself writes it, with its path below the prefix."""
    main = subprocess.check_output([command, "man"])
    yield "share/man/man1/refloop.1", main
    for line in main.decode().splitlines():
        if line.startswith("refloop\\-") and line.endswith("(1)"):
            name = line[len("refloop\\-") : -len("(1)")]
            yield f"share/man/man1/refloop-{name}.1", subprocess.check_output([command, "man", name])
    for shell, path in SHELLS.items():
        yield path, subprocess.check_output([command, "completions", shell])


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
