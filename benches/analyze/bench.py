#!/usr/bin/env python3
"""CPU seconds and memory of `refloop analyze` on a recording of about 100 million events, of two builds by turns.

    python3 benches/analyze/bench.py OLD NEW [--rounds 7] [--requests 80000] [--python PYTHON] [--trace TRACE]

OLD and NEW are two refloop commands. OLD records the service, once with a checkpoint at its end and once with one every three
seconds, so that growth is looked for; then both analyze each recording. Prints the median of each, and the ratio. With --trace that
recording is taken in their place.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

SERVICE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support", "service.py")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs=2, metavar="OLD NEW")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", default="80000")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--trace")
    options = parser.parse_args()
    if options.trace:
        return compare(options, options.trace, "the trace")
    with tempfile.TemporaryDirectory() as folder:
        for name, how in [("one checkpoint", []), ("a checkpoint every 3 s", ["--every", "3"])]:
            trace = os.path.join(folder, "service.reftrace")
            record = [options.builds[0], "record", "-q", "--events", "full", *how, "-o", trace]
            subprocess.run([*record, "--", options.python, SERVICE, options.requests], check=True, stdout=subprocess.DEVNULL)
            compare(options, trace, name)
            os.remove(trace)


def compare(options, trace, name):
    """By turns, the first of each round last in the next."""
    seconds, most = [[], []], [0, 0]
    for number in range(options.rounds):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            used, kilobytes = analyze(options.builds[place], trace)
            seconds[place].append(used)
            most[place] = max(most[place], kilobytes)
    print("%s, %.0f MB" % (name, os.path.getsize(trace) / 1e6))
    medians = [statistics.median(times) for times in seconds]
    for build, median, kilobytes in zip(options.builds, medians, most):
        print("  %7.2f s  %6d MB  %s" % (median, kilobytes // 1024, build))
    print("  %7.2f × the time, %.2f × the memory" % (medians[1] / medians[0], most[1] / most[0]))


def analyze(build, trace):
    """CPU seconds, and KiB that were resident at once."""
    process = subprocess.Popen([build, "analyze", "-q", trace], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit("%s could not analyze %s" % (build, trace))
    return used.ru_utime + used.ru_stime, used.ru_maxrss


main()
