#!/usr/bin/env python3
"""CPU seconds of `refloop analyze`, `why` or `check` on inputs that are large in one way, each at three sizes that double.

    python3 benches/linear/bench.py [--refloop PATH] [--scale 1.0]

What is linear takes twice as long at twice the size. A row is a way: subclasses of one base; classes with 50 bases each; loops of
as many shapes; loops of classes, each of another name; checkpoints of 20,000 objects with references as events and one change
between two; why rows are alive that refer to what holds them; lists of one module that all grow; empty lines.
"""

import argparse
import os
import resource
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKPOINTS = "reftrace 1 runtime=cpython-3.13.0 references=checkpoints frees=recorded births=survivors\n"
EVENTS = "reftrace 1 runtime=cpython-3.13.0 references=events frees=recorded\n"


def instances(write, n):
    for number in range(2, n + 2):
        write("alloc %x %d 48\n" % (number, number))
    write("walk full\n")
    for number in range(2, n + 2):
        write("count %x 1\n" % number)
    write("checkpoint full\nend\n")


def subclasses(write, n):
    write(CHECKPOINTS + "type 1 app.Base size=16 flags=gc,heap,dict bases=object file=/app/base.py\n")
    for number in range(2, n + 2):
        write("type %d app.C%d size=16 flags=gc,heap,dict bases=1 file=/app/m.py\n" % (number, number))
    instances(write, n)


def bases(write, n):
    write(CHECKPOINTS + "type 1 app.Base size=16 flags=gc,heap,dict bases=object file=/app/base.py\n")
    for number in range(2, n + 2):
        names = ",".join(str(base) for base in range(max(1, number - 50), number))
        write("type %d app.C%d size=16 flags=gc,heap,dict bases=%s file=/app/m.py\n" % (number, number, names))
    instances(write, n)


def shapes(write, n):
    write(CHECKPOINTS)
    for number in range(n):
        write("type %d app.C%d size=48 flags=gc,heap,dict bases=object file=/app/m%d.py\n" % (number + 1, number, number % 97))
    for number in range(n):
        write("alloc %x %d 48\nalloc %x %d 48\n" % (2 * number + 1, number + 1, 2 * number + 2, number + 1))
    write("walk full\n")
    for number in range(n):
        one, other = 2 * number + 1, 2 * number + 2
        write("count %x 1\nref %x %x .left%d\ncount %x 1\nref %x %x .right\n" % (one, one, other, number % 50, other, other, one))
    write("checkpoint full\nend\n")


def classes(write, n):
    write(CHECKPOINTS + "type 1 type size=48 flags=gc,heap,class bases=object\ntype 2 tuple size=24 flags=gc bases=object\n")
    for number in range(n):
        write("type %d app.make.<locals>.C%d size=48 flags=gc,heap,dict bases=object file=/app/m.py\n" % (number + 3, number))
    for number in range(n):
        one, other = 2 * number + 1, 2 * number + 2
        write("alloc %x 1 900\nname %x app.make.<locals>.C%d\nalloc %x 2 48\n" % (one, one, number, other))
    write("walk full\n")
    for number in range(n):
        one, other = 2 * number + 1, 2 * number + 2
        write("count %x 1\nref %x %x .__mro__\ncount %x 1\nref %x %x [0]\n" % (one, one, other, other, other, one))
    write("checkpoint full\nend\n")


def changes(write, n):
    write(EVENTS + "type 1 app.Node size=48 flags=gc,heap,dict bases=object file=/app/m.py\n")
    for number in range(1, 20001):
        write("alloc %x 1 48\nroot %x all\n" % (number, number))
    for number in range(n):
        write("ref 1 %x .next\ncheckpoint full\nunref 1 %x .next\ncheckpoint full\n" % (number % 19999 + 2, number % 19999 + 2))
    write("end\n")


def references_back(write, n):
    write(EVENTS + "type 1 app.Table\ntype 2 list\ntype 3 app.Row\n")
    write("alloc 1 1 48\nroot 1 a\nalloc 2 1 48\nroot 2 b\nalloc 3 2 64\nref 1 3 .rows\nalloc 4 2 64\nref 2 4 .rows\n")
    for number in range(n):
        row = number + 16
        write("alloc %x 3 48\nref 3 %x [%d]\nref 4 %x [%d]\nref %x 1 .a\nref %x 2 .b\n" % (row, row, number, row, number, row, row))
    write("checkpoint full\nend\n")


def lists(write, n):
    write(EVENTS + "type 1 module\ntype 2 list\ntype 3 app.Row\nalloc 1 1 48\nroot 1 a\nalloc 2 3 48\n")
    for number in range(n):
        write("alloc %x 2 48\nref 1 %x .list%d\n" % (number + 16, number + 16, number))
    for look in range(3):
        for number in range(n):
            write("".join("ref %x 2 [%d]\n" % (number + 16, 20 * look + item) for item in range(20)))
        write("checkpoint full\n")
    write("end\n")


def empty_lines(write, n):
    write(CHECKPOINTS)
    for _ in range(n // 1000000):
        write("\n" * 1000000)
    write("walk full\ncheckpoint full\nend\n")


WAYS = [
    ("subclasses of one base", subclasses, 20000, ["analyze"]),
    ("classes with 50 bases", bases, 500, ["analyze"]),
    ("loop shapes", shapes, 25000, ["analyze"]),
    ("classes in loops", classes, 5000, ["analyze"]),
    ("changes between checkpoints", changes, 25000, ["analyze"]),
    ("rows that refer to their table", references_back, 100000, ["why", "--type", "app.Row"]),
    ("lists of one module", lists, 10000, ["check", "--growth", "--format", "csv"]),
    ("empty lines", empty_lines, 250000000, ["analyze"]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refloop-linear-") as folder:
        path = os.path.join(folder, "input.reftrace")
        for name, make, least, command in WAYS:
            figures = []
            for size in (least, 2 * least, 4 * least):
                size = int(size * options.scale)
                with open(path, "w") as file:
                    make(file.write, size)
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([options.refloop, *command, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=command[0] != "check")
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                figures.append("%12d %6.2f s" % (size, spent))
            print("%-31s" % name + "".join(figures), flush=True)


main()
