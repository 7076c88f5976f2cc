#!/usr/bin/env python3
"""CPU time of test suites with `pytest --refloop`, and of pytest alone, in one run.

    python3 benches/pytest/bench.py [--refloop PATH] [--rounds N] [--python PATH ...] [--suite NAME ...] [--option FLAG ...]

`one` is a single test, and so what is paid once; `tiny` is 2,000 tests of one line each, and so what is paid for each test.
The others are the suites of packages, of their releases on PyPI: their sources, pytest and what the tests import are put into
an environment of its own for each Python, by pip (network). Each round runs a suite alone and with refloop. A figure is the
median, over the rounds, of the user CPU time, of the processes with their children, so the verdict is in it.
"""

import argparse
import glob
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
TINY = 2000
TOOLS = ["pytest", "hypothesis", "setuptools", "flit_core", "hatchling", "hatch-vcs", "hatch-fancy-pypi-readme"]
#: The folder of the tests in each package's source.
PACKAGES = {"click": "tests", "attrs": "tests", "networkx": "networkx"}
SUITES = ["one", "tiny", *PACKAGES]
#: The same examples in each round.
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]


def interpreters():
    found = []
    for minor in ["3.12", "3.13"]:
        found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python3" % minor)))
    return found or [sys.executable]


def environment_of(python, folder):
    """A Python with pytest and what the suites import."""
    subprocess.check_call([python, "-m", "venv", folder])
    python = os.path.join(folder, "bin", "python")
    subprocess.check_call([python, "-m", "pip", "install", "-q", *TOOLS])
    return python


def source_of(package, python, folder):
    """The package's released source, with the package itself installed: the folder, and the tests in it."""
    subprocess.check_call([python, "-m", "pip", "install", "-q", package])
    get = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", package, package]
    subprocess.check_call(get, cwd=folder)
    (archive,) = glob.glob(os.path.join(folder, "%s-*.tar.gz" % package))
    shutil.unpack_archive(archive, folder)
    return archive[: -len(".tar.gz")], PACKAGES[package]


def made(count, folder):
    """A file of so many tests of a line."""
    os.makedirs(folder)
    with open(os.path.join(folder, "test_tiny.py"), "w") as file:
        file.writelines("def test_%d():\n    assert %d + 1 == %d\n\n\n" % (n, n, n + 1) for n in range(count))
    return folder, "."


def seconds(command, folder, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    lines = done.stdout.strip().splitlines()
    # 1: tests fail, by themselves or by the loops that they leave behind.
    if done.returncode not in (0, 1):
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, "\n".join(lines[-30:])))
    return taken, lines[-1] if lines else ""


def measure(name, python, folder, options):
    if name in PACKAGES:
        place, tests = source_of(name, python, folder)
    else:
        place, tests = made(1 if name == "one" else TINY, os.path.join(folder, name))
    environment = dict(os.environ, PYTHONHASHSEED="0", REFLOOP_BINARY=os.path.abspath(options.refloop))
    environment["PYTHONPATH"] = os.path.join(ROOT, "python")
    # Compiled files and caches are there from here on.
    _, told = seconds([python, *PYTEST, tests], place, environment)
    alone, recorded = [], []
    for _ in range(options.rounds):
        alone.append(seconds([python, *PYTEST, tests], place, environment)[0])
        flags = ["-p", "refloop.pytest_plugin", "--refloop", *options.option]
        recorded.append(seconds([python, *PYTEST, *flags, tests], place, environment)[0])
    ratio = statistics.median(there / here for here, there in zip(alone, recorded))
    print(
        "%-10s %9.2f s %9.2f s %8.3fx   %s" % (name, statistics.median(alone), statistics.median(recorded), ratio, told),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(ROOT, "target/release/refloop"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", nargs="*", default=interpreters())
    parser.add_argument("--suite", nargs="*", default=SUITES, choices=SUITES)
    parser.add_argument("--option", action="append", default=[], help="a flag for pytest beside --refloop, as --option=--refloop-stacks")
    options = parser.parse_args()
    for python in options.python:
        version = subprocess.check_output([python, "-c", "import platform; print(platform.python_version())"], text=True)
        print("\nCPython %s  %s" % (version.strip(), python), flush=True)
        print("%-10s %11s %11s %9s" % ("suite", "alone", "--refloop", "ratio"), flush=True)
        folder = tempfile.mkdtemp(prefix="refloop-bench-")
        try:
            own = environment_of(python, os.path.join(folder, "environment"))
            for name in options.suite:
                measure(name, own, folder, options)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
