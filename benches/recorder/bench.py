#!/usr/bin/env python3
"""CPU time of programs without a recorder, with refloop in each mode, and with other tools, in one run.

    python3 benches/recorder/bench.py [--refloop PATH] [--old PATH] [--rounds N] [--python PATH ...]
                                      [--program NAME ...] [--variant NAME ...]

Each round takes all variants in turn, so that a disturbance hits all of them. A figure is the median, over the rounds, of
the CPU time (user and system, of the program and its children) divided by that of the program alone in the same round; the
last line of each Python is the geometric mean. `--old` is another build of refloop, whose variants begin with `old-`.

`workloads/` need nothing but Python. `programs/` use packages, which `--install` puts, with memray, into an environment of
its own for each Python; what cannot be installed is left out, and a line says so. `tracemalloc` runs with one frame,
`memray` as `memray run` does by default.
"""

import argparse
import glob
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ["none", "leaks", "survivors", "full"]
PACKAGES = ["sqlglot", "networkx", "jinja2", "pyflakes", "django", "pydantic", "black", "memray"]


def interpreters():
    found = []
    for minor in ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]:
        found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python3" % minor)))
    return found + [path for path in ["/usr/bin/python3"] if os.path.exists(path)]


def programs():
    """The scripts by name."""
    paths = sorted(glob.glob(os.path.join(HERE, "workloads", "*.py"))) + sorted(glob.glob(os.path.join(HERE, "programs", "*.py")))
    return {os.path.basename(path)[: -len(".py")]: path for path in paths}


def seconds(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, done.stderr.decode()))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command(variant, options, python, script, folder):
    if variant == "alone":
        return [python, script]
    if variant == "tracemalloc":
        return [python, "-X", "tracemalloc=1", script]
    if variant == "memray":
        return [python, "-m", "memray", "run", "-q", "-f", "-o", os.path.join(folder, "bench.memray"), script]
    refloop, mode = (options.old, variant[len("old-") :]) if variant.startswith("old-") else (options.refloop, variant)
    # No trace of the round before is in the way.
    trace = os.path.join(tempfile.mkdtemp(dir=folder), "bench.reftrace")
    return [refloop, "record", "-q", "-o", trace, "--events", mode, "--", python, script]


def environment_of(python, folder):
    """A Python with the packages, as far as it can have them."""
    place = os.path.join(folder, "environment")
    subprocess.check_call([python, "-m", "venv", place])
    python = os.path.join(place, "bin", "python")
    for package in PACKAGES:
        done = subprocess.run([python, "-m", "pip", "install", "-q", package], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print("left out: %s: %s" % (package, (done.stderr.strip().splitlines() or ["cannot be installed"])[-1]))
    return python


def can_run(python, words):
    return subprocess.run([python, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def measure(python, options, folder):
    variants = list(options.variant)
    if not can_run(python, ["-m", "memray", "--version"]):
        variants.remove("memray") if "memray" in variants else None
    print("%-20s %9s" % ("program", "alone s") + "".join("%16s" % name for name in variants))
    logs = dict.fromkeys(variants, 0.0)
    counted = 0
    environment = dict(os.environ, PYTHONHASHSEED="0")
    for name in options.program:
        script = programs()[name]
        if not can_run(python, [script]):
            print("left out: %s: it does not run on this Python (--install brings what it needs)" % name)
            continue
        rounds = []
        for _ in range(options.rounds):
            rounds.append(
                {each: seconds(command(each, options, python, script, folder), environment) for each in ["alone", *variants]}
            )
        ratios = {each: statistics.median(taken[each] / taken["alone"] for taken in rounds) for each in variants}
        counted += 1
        for each in variants:
            logs[each] += math.log(ratios[each])
        alone = statistics.median(taken["alone"] for taken in rounds)
        print("%-20s %9.3f" % (name, alone) + "".join("%15.2fx" % ratios[each] for each in variants), flush=True)
    means = "".join("%15.2fx" % math.exp(logs[each] / max(counted, 1)) for each in variants)
    print("%-20s %9s" % ("geometric mean", "") + means, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--old", help="another build of refloop, to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", nargs="*", default=interpreters())
    parser.add_argument("--program", nargs="*", default=list(programs()), choices=list(programs()))
    parser.add_argument("--variant", nargs="*")
    parser.add_argument("--install", action="store_true", help="install the packages of programs/ and memray (network)")
    options = parser.parse_args()
    old = ["old-" + mode for mode in ["none", "survivors", "full"]] if options.old else []
    options.variant = options.variant or [*MODES, *old, "tracemalloc", "memray"]
    for python in options.python:
        folder = tempfile.mkdtemp(prefix="refloop-bench-")
        try:
            version = subprocess.check_output([python, "-c", "import platform; print(platform.python_version())"], text=True)
            print("\nCPython %s  %s" % (version.strip(), python), flush=True)
            measure(environment_of(python, folder) if options.install else python, options, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
