#!/usr/bin/env python3
"""CPU time of a checkpoint, and which part of it the search for hidden references takes.

    python3 benches/recorder/search.py [--refloop PATH ...] [--rounds N] [--python PATH] [--program NAME ...]

The programs in `extensions/` have 400,000 to a million objects, many of them of extension modules: `--install` puts the
packages into an environment of its own (network). Each is recorded by each build of refloop, by turns with one walk of its heap that
does not search (`refloop.mark`) and with one that does (`refloop.checkpoint`); a figure is the median of the user and system CPU
time that the walk takes of the process and of the copies that it makes of itself.
"""

import argparse
import glob
import json
import os
import resource
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PACKAGES = ["numpy", "pandas", "lxml", "pyarrow", "pydantic", "httpx", "lru-dict", "msgspec", "rpds-py"]


def programs():
    """The scripts by name."""
    paths = sorted(glob.glob(os.path.join(HERE, "extensions", "*.py")))
    return {os.path.basename(path)[: -len(".py")]: path for path in paths}


def seconds(action):
    def now():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    before = now()
    action()
    return now() - before


def measure(script, searches):
    """Within the recorded process: runs the program, then walks its heap once. A second walk would write less."""
    import refloop

    kept = runpy.run_path(script)
    print(json.dumps(seconds(refloop.checkpoint if searches else lambda: refloop.mark("user", "bench"))))
    return kept


def recorded(refloop, python, script, rounds, folder):
    """Seconds of a walk without a search, and with one."""
    taken = [[recorded_once(refloop, python, script, way, folder) for way in ([], ["--search"])] for _ in range(rounds)]
    return [statistics.median(times) for times in zip(*taken)]


def recorded_once(refloop, python, script, way, folder):
    trace = os.path.join(tempfile.mkdtemp(dir=folder), "bench.reftrace")
    command = [refloop, "record", "-q", "-o", trace, "--", python, os.path.abspath(__file__), "--measure", script]
    environment = dict(os.environ, PYTHONHASHSEED="0", PYTHONPATH=os.path.join(ROOT, "python"))
    command += way
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shutil.rmtree(os.path.dirname(trace))
    if done.returncode:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return json.loads(done.stdout.splitlines()[-1])


def environment_of(python, folder):
    """A Python with the packages."""
    subprocess.check_call([python, "-m", "venv", folder])
    python = os.path.join(folder, "bin", "python")
    subprocess.check_call([python, "-m", "pip", "install", "-q", *PACKAGES])
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", nargs="*", default=[os.path.join(ROOT, "target/release/refloop")])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--program", nargs="*", default=list(programs()), choices=list(programs()))
    parser.add_argument("--install", action="store_true", help="install the packages (network)")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--search", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure, options.search)
    folder = tempfile.mkdtemp(prefix="refloop-bench-")
    try:
        python = environment_of(options.python, os.path.join(folder, "environment")) if options.install else options.python
        print("%-20s %12s %12s %9s" % ("program", "walk", "with search", "share"), flush=True)
        for name in options.program:
            for refloop in options.refloop:
                walk, searched = recorded(refloop, python, programs()[name], options.rounds, folder)
                part = 100 * (1 - walk / searched)
                build = refloop if len(options.refloop) > 1 else ""
                print("%-20s %9.1f ms %9.1f ms %7.1f %%  %s" % (name, 1e3 * walk, 1e3 * searched, part, build), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
