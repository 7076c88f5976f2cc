#!/usr/bin/env python3
"""CPU time of programs without a recorder, with refloop, and with tracemalloc, on each CPython at hand, in one run.

    python3 benches/recorder/bench.py [--refloop PATH] [--rounds N] [--python PATH ...] [--workload NAME ...]

Each figure is the least CPU time (user and system, of the program and its children) of N runs, the variants taken in
turn, so that a disturbance hits all of them. Ratios are to the run without a recorder; the last line of each version
is the geometric mean. `tracemalloc` runs with one frame.
"""

import argparse
import glob
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = ["json_round", "small_classes", "kept_structure", "deep_recursion", "numeric_loop", "imports"]
VARIANTS = ["plain", "none", "survivors", "full", "tracemalloc"]


def interpreters():
    found = []
    for minor in ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]:
        found += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python3" % minor)))
    return found + [path for path in ["/usr/bin/python3"] if os.path.exists(path)]


def seconds(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, done.stderr.decode()))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command(variant, refloop, python, script, folder):
    if variant == "tracemalloc":
        return [python, "-X", "tracemalloc=1", script]
    if variant == "plain":
        return [python, script]
    trace = os.path.join(folder, "bench.reftrace")
    return [refloop, "record", "-q", "-o", trace, "--events", variant, "--stack-depth", "32", "--", python, script]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", nargs="*", default=interpreters())
    parser.add_argument("--workload", nargs="*", default=WORKLOADS)
    options = parser.parse_args()
    environment = dict(os.environ, PYTHONHASHSEED="0")
    folder = tempfile.mkdtemp(prefix="refloop-bench-")
    try:
        for python in options.python:
            version = subprocess.check_output([python, "-c", "import platform; print(platform.python_version())"], text=True)
            print("\nCPython %s  %s" % (version.strip(), python))
            print("%-16s %9s" % ("workload", "plain s") + "".join("%13s" % name for name in VARIANTS[1:]))
            logs = {name: 0.0 for name in VARIANTS}
            for workload in options.workload:
                script = os.path.join(HERE, "workloads", workload + ".py")
                least = dict.fromkeys(VARIANTS, math.inf)
                for _ in range(options.rounds):
                    for name in VARIANTS:
                        words = command(name, options.refloop, python, script, folder)
                        least[name] = min(least[name], seconds(words, environment))
                row = "%-16s %9.3f" % (workload, least["plain"])
                for name in VARIANTS[1:]:
                    ratio = least[name] / least["plain"]
                    logs[name] += math.log(ratio)
                    row += "%12.2fx" % ratio
                print(row, flush=True)
            row = "%-16s %9s" % ("geometric mean", "")
            for name in VARIANTS[1:]:
                row += "%12.2fx" % math.exp(logs[name] / len(options.workload))
            print(row, flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
