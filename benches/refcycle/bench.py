#!/usr/bin/env python3
"""How long it takes to find the loops of a program: refloop beside refcycle, in one run.

    pip install refcycle
    python3 benches/refcycle/bench.py [--refloop PATH] [--loops N] [--rounds N]

The program makes N loops of two objects each and leaves them. `refcycle` looks for them in the program itself, which
gives their graph and components without stacks or slots; refloop records the program and analyzes the recording. Each
figure is the least of the rounds over that of the program alone: CPU seconds of all processes, and the largest
resident memory of one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOOPS = os.path.join(HERE, "loops.py")


def run(*commands):
    """CPU seconds of the commands, the largest memory of one in bytes, and what the last one printed."""
    seconds, memory, printed = 0.0, 0, ""
    for command in commands:
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(command, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit("%s: exit code %d" % (" ".join(command), process.returncode))
            out.seek(0)
            printed = out.read().decode()
        seconds += usage.ru_utime + usage.ru_stime
        memory = max(memory, usage.ru_maxrss * 1024)
    return seconds, memory, printed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--loops", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    program = [sys.executable, LOOPS, str(options.loops)]
    with tempfile.TemporaryDirectory(prefix="refloop-bench-") as folder:
        trace = os.path.join(folder, "loops.reftrace")
        record = [options.refloop, "record", "-q", "-o", trace, "--", *program]
        analyze = [options.refloop, "analyze", "-q", "--format", "json", trace]
        least = {}
        for _ in range(options.rounds):
            rows = {
                "program": run(program),
                "refcycle": run(program + ["refcycle"]),
                "refloop": run(record, analyze),
                "  analyze": run(analyze),
            }
            found = [int(rows["refcycle"][2]), json.loads(rows["refloop"][2])["summary"]["cyclic_garbage"]["loops"]]
            if found != [options.loops] * 2:
                sys.exit("refcycle and refloop found %s loops of %d" % (found, options.loops))
            for name, (seconds, memory, _) in rows.items():
                before = least.get(name, (seconds, memory))
                least[name] = min(before[0], seconds), min(before[1], memory)
    alone = least.pop("program")[0]
    print("%d loops of two objects; the program alone takes %.2f s" % (options.loops, alone))
    for name, (seconds, memory) in least.items():
        extra = seconds if name.startswith(" ") else seconds - alone
        print("%-10s %6.2f CPU s more, %5.0f MB" % (name, extra, memory / 1e6))


if __name__ == "__main__":
    main()
