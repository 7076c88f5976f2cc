"""The build backend: what it adds to the wheel that maturin makes."""

import base64
import csv
import hashlib
import importlib
import sys
import types
import zipfile
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"

#: A command that writes pages as ``refloop`` does.
COMMAND = r"""#!/bin/sh
case "$*" in
    man) printf '.TH refloop 1\n.TP\nrefloop\\-check(1)\nThe gate\n' ;;
    *) echo "$*" ;;
esac
"""


@pytest.fixture
def backend(monkeypatch):
    """The backend, where maturin need not be installed."""
    pretended = types.ModuleType("maturin")
    for name in ("build_editable", "build_sdist", "build_wheel"):
        setattr(pretended, name, None)
    for what in ("editable", "sdist", "wheel"):
        setattr(pretended, f"get_requires_for_build_{what}", lambda settings=None: ["rust"])
    monkeypatch.setitem(sys.modules, "maturin", pretended)
    monkeypatch.syspath_prepend(str(PACKAGING))
    yield importlib.import_module("backend")
    for name in ("backend", "licences"):
        sys.modules.pop(name, None)


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "refloop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as new:
        command = zipfile.ZipInfo("refloop-1.0.data/scripts/refloop")
        command.external_attr = 0o100755 << 16
        new.writestr(command, COMMAND)
        new.writestr("refloop-1.0.dist-info/RECORD", "refloop-1.0.dist-info/RECORD,,\n")
    return path


def test_pages_are_in_the_wheel_and_in_its_record(backend, wheel):
    backend._add_pages(wheel)
    with zipfile.ZipFile(wheel) as new:
        recorded = {
            row[0]: row[1:] for row in csv.reader(new.read("refloop-1.0.dist-info/RECORD").decode().splitlines())
        }
        pages = {name: new.read(name) for name in new.namelist() if "/data/" in name}
        mode = new.getinfo("refloop-1.0.data/scripts/refloop").external_attr >> 16
    prefix = "refloop-1.0.data/data/share"
    assert pages[f"{prefix}/man/man1/refloop-check.1"] == b"man check\n"
    assert pages[f"{prefix}/bash-completion/completions/refloop"] == b"completions bash\n"
    assert {name.split("/share/")[1] for name in pages} == {
        "man/man1/refloop.1",
        "man/man1/refloop-check.1",
        "bash-completion/completions/refloop",
        "fish/vendor_completions.d/refloop.fish",
        "zsh/site-functions/_refloop",
    }
    for name, page in pages.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(page).digest()).rstrip(b"=").decode()
        assert recorded[name] == [f"sha256={digest}", str(len(page))]
    assert mode == 0o100755


def test_a_command_of_another_architecture_leaves_the_wheel_as_it_is(backend, wheel, capsys):
    with zipfile.ZipFile(wheel, "w") as new:
        new.writestr("refloop-1.0.data/scripts/refloop", b"\x7fELF")
        new.writestr("refloop-1.0.dist-info/RECORD", "")
    before = wheel.read_bytes()
    backend._add_pages(wheel)
    assert wheel.read_bytes() == before
    assert "no manual pages and completions" in capsys.readouterr().err


def test_zig_is_asked_for_where_it_links(backend, monkeypatch):
    monkeypatch.delenv("REFLOOP_SYSTEM_LINKER", raising=False)
    monkeypatch.setattr(backend.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(backend.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(backend.sys, "platform", "linux")
    assert backend.get_requires_for_build_wheel() == ["rust", backend.ZIG]
    monkeypatch.setattr(backend.platform, "libc_ver", lambda: ("", ""))
    assert backend.get_requires_for_build_wheel() == ["rust"]
    monkeypatch.setattr(backend.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setenv("REFLOOP_SYSTEM_LINKER", "1")
    assert backend.get_requires_for_build_wheel() == ["rust"]


def test_paths_of_this_machine_are_replaced_and_other_flags_stay(backend, monkeypatch):
    monkeypatch.setenv("CARGO_HOME", "/some where/cargo")
    monkeypatch.setenv("RUSTFLAGS", "-C target-cpu=native")
    monkeypatch.setenv("CARGO_ENCODED_RUSTFLAGS", "")
    backend._forget_paths()
    flags = backend.os.environ["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    assert flags[:2] == ["-C", "target-cpu=native"]
    assert f"--remap-path-prefix={Path.cwd()}=/refloop" in flags
    assert "--remap-path-prefix=/some where/cargo/registry/src=/crates" in flags


def test_each_text_is_there_once_and_licences_of_c_sources_too(backend, monkeypatch, tmp_path):
    licences = sys.modules["licences"]
    packages = []
    for name, files in (
        ("one", {"LICENSE": "Do as you like.\n"}),
        (
            "two",
            {"license-mit.txt": "Do as  you like.", "src/license.rs": "fn code() {}", "c/COPYING": "Of the C part."},
        ),
    ):
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        manifest = str(tmp_path / name / "Cargo.toml")
        packages.append({"name": name, "version": "1.0", "license": "MIT", "manifest_path": manifest})
    monkeypatch.setenv("CARGO_BUILD_TARGET", "any")
    monkeypatch.setattr(licences, "_packages", lambda target: packages)
    page = licences.licences()
    assert page.count("Do as") == 1
    assert "one 1.0, two 1.0\n" in page
    assert "Of the C part." in page
    assert "fn code" not in page
    packages.append({"name": "bare", "version": "1.0", "license": None, "manifest_path": str(tmp_path / "bare" / "x")})
    with pytest.raises(SystemExit, match=r"bare 1\.0 declares no licence"):
        licences.licences()
