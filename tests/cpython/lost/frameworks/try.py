"""Builds extensions with Cython, pybind11, nanobind and PyO3 that lose references, and says what refloop tells of them.

    tests/cpython/lost/frameworks/try.py REFLOOP PYTHON

PYTHON is that of a virtual environment with cython, pybind11 and nanobind; PyO3 takes cargo. What is to be seen: of `forget` and
`forget_item` about 100 objects with one reference too many, of the others nothing. A minute, most of it for PyO3.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FUNCTIONS = ("forget", "forget_item", "give_back", "give_item_back", "own")


def run(command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def asked(python, expression, *modules):
    imports = "".join(f"import {module}; " for module in modules)
    return run([python, "-c", f"{imports}print({expression})"]).strip()


def headers(python):
    return asked(python, "sysconfig.get_paths()['include']", "sysconfig")


def cython(python, folder):
    run([python, "-m", "cython", HERE / "cython.pyx", "--module-name", "extension", "-o", folder / "extension.c"])
    run(["cc", "-shared", "-fPIC", "-O1", "-I", headers(python), folder / "extension.c", "-o", folder / "extension.so"])


def cplusplus(python, folder, *words):
    common = ["c++", "-std=c++17", "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-I", headers(python)]
    run([*common, *words, "-o", folder / "extension.so"])


def pybind11(python, folder):
    include = asked(python, "pybind11.get_include()", "pybind11")
    cplusplus(python, folder, "-I", include, HERE / "pybind11.cpp")


def nanobind(python, folder):
    package = Path(asked(python, "nanobind.__path__[0]", "nanobind"))
    includes = ["-I", package / "include", "-I", package / "ext/robin_map/include"]
    cplusplus(python, folder, "-fno-strict-aliasing", *includes, package / "src/nb_combined.cpp", HERE / "nanobind.cpp")


def pyo3(python, folder):
    crate = folder / "crate"
    shutil.copytree(HERE / "pyo3", crate)
    run(["cargo", "build", "-q"], cwd=crate, env={**os.environ, "PYO3_PYTHON": str(python)})
    shutil.copy(crate / "target/debug/libextension.so", folder / "extension.so")


def told(refloop, python, folder, function):
    """Objects, references too many, and line of each row."""
    trace = folder / f"{function}.reftrace"
    program = folder / "program.py"
    run([refloop, "record", "-q", "--signal", "usr2", "-o", trace, "--", python, program, function])
    report = json.loads(run([refloop, "analyze", "-q", "--format", "json", trace]))
    rows = report["suspected_lost"]
    return [(row["objects"], row["references_most"], row["type"], row["place"]["line"]) for row in rows]


def main():
    refloop, python = (Path(word).absolute() for word in sys.argv[1:3])
    for build in (cython, pybind11, nanobind, pyo3):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                build(python, folder)
            except subprocess.CalledProcessError as error:
                print(f"{build.__name__}: cannot be built: {error.stderr.strip().splitlines()[-1:]}")
                continue
            shutil.copy(HERE.parent / "program.py", folder)
            for function in FUNCTIONS:
                print(build.__name__, function, told(refloop, python, folder, function), flush=True)


if __name__ == "__main__":
    main()
