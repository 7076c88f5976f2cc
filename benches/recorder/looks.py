#!/usr/bin/env python3
"""What a look at the whole heap costs, the first one and those after it: pause, bytes written, and `gc.collect()` beside them.

    python3 benches/recorder/looks.py [--refloop PATH ...] [--python PATH] [--objects N] [--changed PERCENT] [--rounds N]

A program of N objects, each with references to two others, is recorded by each build of refloop by turns. Between two looks
(`refloop.mark`) PERCENT of its objects get another reference. A figure is the median over the rounds; of the looks after the
first, over all of them.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
LOOKS = 5


class Node:
    __slots__ = ("items", "parent")


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(objects, percent, trace):
    """Within the recorded process."""
    import refloop

    nodes = []
    for i in range(objects // 2):
        node = Node()
        node.items, node.parent = [i], nodes[i // 2] if i else None
        nodes.append(node)
    gc.collect()
    collection = timed(gc.collect)
    looks = []
    for look in range(LOOKS):
        size = os.stat(trace).st_size
        seconds = timed(lambda: refloop.mark("user", "bench"))
        looks.append((seconds, os.stat(trace).st_size - size))
        for i in range(look, len(nodes), 100 // percent):
            nodes[i].items.append(nodes[i])
    print(json.dumps({"collection": collection, "looks": looks}))


def recorded(refloop, options, folder):
    trace = os.path.join(folder, "bench.reftrace")
    command = [refloop, "record", "-q", "-o", trace, "--", options.python, os.path.abspath(__file__)]
    command += ["--measure", trace, "--objects", str(options.objects), "--changed", str(options.changed)]
    environment = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "python"))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.remove(trace)
    if done.returncode:
        sys.exit("%s: exit code %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", nargs="*", default=[os.path.join(ROOT, "target/release/refloop")])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=1, help="percent of the objects")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.objects, options.changed, options.measure)
    with tempfile.TemporaryDirectory() as folder:
        rounds = [[recorded(refloop, options, folder) for refloop in options.refloop] for _ in range(options.rounds)]
    print("%-40s %12s %8s %12s %10s %12s" % ("build", "gc.collect()", "first", "bytes", "later", "bytes"))
    for refloop, runs in zip(options.refloop, zip(*rounds)):
        first = [run["looks"][0] for run in runs]
        later = [look for run in runs for look in run["looks"][1:]]
        milliseconds = [1e3 * statistics.median(look[0] for look in looks) for looks in (first, later)]
        written = [statistics.median(look[1] for look in looks) for looks in (first, later)]
        collection = 1e3 * statistics.median(run["collection"] for run in runs)
        figures = (collection, milliseconds[0], format(written[0], ",.0f"), milliseconds[1], format(written[1], ",.0f"))
        print("%-40s %9.0f ms %5.0f ms %12s %7.0f ms %12s" % (refloop[-40:], *figures))


if __name__ == "__main__":
    main()
