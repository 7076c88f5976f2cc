"""Collects the licences of the crates that are in the command, each text once, from the sources that cargo compiles."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterator, List, Set

#: How the file of a licence begins.
NAME = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)

#: What a file of this name is, if not a licence: code, or a page about one.
NOT_TEXT = {".rs", ".html", ".py", ".sh", ".yml", ".toml"}

HEAD = """\
The refloop command is under the MIT licence or the Apache licence 2.0, as you choose: LICENSE-MIT, LICENSE-APACHE.
It contains the standard library of Rust, by the Rust Project contributors and under the same two licences, and the
crates that follow, each with the licence that it declares; then comes the text of each licence, with the names of the
crates that it is from.
"""


def licences() -> str:
    """The page for a command that is built here, or for the target that cargo's own variable names."""
    target = os.environ.get("CARGO_BUILD_TARGET") or _host()
    packages = sorted(_packages(target), key=lambda package: (package["name"], package["version"]))
    texts: Dict[str, str] = {}
    crates: Dict[str, List[str]] = defaultdict(list)
    table: List[str] = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        table.append(f"{name}: {package['license'] or 'see its text below'}")
        found = 0
        for path in _files(Path(package["manifest_path"]).parent):
            text = path.read_text(encoding="utf-8", errors="replace").strip()
            key = " ".join(text.split())
            texts.setdefault(key, text)
            if name not in crates[key]:
                crates[key].append(name)
            found += 1
        if not found and not package["license"]:
            raise SystemExit(f"{name} declares no licence and has none among its files")
    rule = "-" * 100
    sections = [f"{rule}\n{', '.join(names)}\n{rule}\n\n{texts[key]}\n" for key, names in crates.items()]
    return "\n".join([HEAD, "\n".join(table) + "\n", *sections])


def _host() -> str:
    told = subprocess.check_output([os.environ.get("RUSTC", "rustc"), "-vV"], text=True)
    return next(line[len("host: ") :] for line in told.splitlines() if line.startswith("host: "))


def _packages(target: str) -> List[Dict[str, object]]:
    """The crates that are linked into the command: no build scripts, no tests, no macros."""
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version=1", f"--filter-platform={target}"]
    metadata = json.loads(subprocess.check_output([*command, "--locked"]))
    by_id = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    linked: Set[str] = {root}
    waiting = [root]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            package = by_id[dependency["pkg"]]
            is_macro = any("proc-macro" in part["kind"] for part in package["targets"])
            is_normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if is_normal and not is_macro and dependency["pkg"] not in linked:
                linked.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return [by_id[each] for each in linked - {root}]


def _files(folder: Path) -> Iterator[Path]:
    """The licences in a crate's folder, and in those of C sources that lie within."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and NAME.match(path.name) and path.suffix not in NOT_TEXT:
            yield path


if __name__ == "__main__":
    sys.stdout.write(licences())
