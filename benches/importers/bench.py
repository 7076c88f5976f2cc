#!/usr/bin/env python3
"""CPU seconds of `refloop check` on a log of each format that other programs write, beside `wc -l` on the same file.

    python3 benches/importers/bench.py [--refloop PATH] [--lines 10000000] [--rounds 3] [FORMAT…]

A made-up log has so many lines, or 50 bytes for each where a format has none. Each figure is the median of the rounds. What is
linear takes half as long at half the size.
"""

import argparse
import os
import resource
import statistics
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = 0x7F0000000000
CLASSES = 97


def address(number):
    return "0x%x" % (BASE + 64 * number)


def gc_debug(lines):
    yield "gc: collecting generation 2...\ngc: objects in each generation: 19 0 5065\n"
    yield "gc: objects in permanent generation: 0\n"
    n = lines - 4
    for number in range(n):
        yield "gc: collectable <app.Class%d %s>\n" % (number % CLASSES, address(number))
    yield "gc: done, %d unreachable, 0 uncollectable, 0.0004s elapsed\n" % n


def cc_edges(lines):
    n = lines // 4
    yield "# WantAllTraces=false\n"
    for number in range(n):
        yield "%s [rc=%d] nsClass%d\n> %s mNext\n> %s mRoot\n" % (
            address(number), number // 4 % 2 * 2 + 2, number % CLASSES, address((number + 1) % n), address(number // 2),
        )
    yield "==========\n"
    for number in range(n):
        yield "%s [known=%d]\n" % (address(number), 1)


def dumprefs(lines):
    yield "Remaining objects:\n"
    for number in range(lines // 2):
        yield "%s [1] <app.Class%d object at %s>\n" % (address(number), number % CLASSES, address(number))
    yield "Remaining object addresses:\n"
    for number in range(lines // 2):
        yield "%s [1] app.Class%d\n" % (address(number), number % CLASSES)


def leaks(lines):
    """Loops of three."""
    n = lines // 4
    yield "leaks Report Version: 4.0\nProcess 71: %d leaks for %d total leaked bytes.\n" % (3 * n, 144 * n)
    for number in range(n):
        one, two, three = (address(3 * number + at) for at in range(3))
        yield "    3 (144 bytes) ROOT CYCLE: <Class%d %s> [48]\n" % (number % CLASSES, one)
        yield "       2 (96 bytes) __strong lines --> ROOT CYCLE: <Line %s> [48]\n" % two
        yield "          1 (48 bytes) __strong note --> ROOT CYCLE: <Note %s> [48]\n" % three
        yield "             __strong order --> CYCLE BACK TO <Class%d %s> [48]\n" % (number % CLASSES, one)


def meliae(lines):
    for number in range(lines):
        yield '{"address": %d, "type": "Class%d", "size": 48, "refs": [%d, %d]}\n' % (
            BASE + 64 * number, number % CLASSES, BASE + 64 * ((number + 1) % lines), BASE + 64 * (number // 2),
        )


def ruby(lines):
    yield '{"type":"ROOT", "root":"vm", "references":["%s"]}\n' % address(0)
    for number in range(CLASSES):
        yield '{"address":"%s", "type":"CLASS", "name":"Class%d", "references":[], "memsize":600}\n' % (
            address(number), number,
        )
    for number in range(CLASSES, lines - 1):
        yield (
            '{"address":"%s", "type":"OBJECT", "class":"%s", "ivars":2, "references":["%s", "%s"], "memsize":40, '
            '"flags":{"wb_protected":true}}\n'
        ) % (address(number), address(number % CLASSES), address(number + 1), address(number // 2))


def memray(lines):
    """Of ten blocks nine are freed, soon."""
    yield "HEADER magic=memray version=13 native_traces=false file_format=ALL_ALLOCATIONS\nCONTEXT_SWITCH tid=1\n"
    for number in range(1000):
        yield "CODE_OBJECT code_id=%d function_name=f%d filename=/srv/shop.py firstlineno=%d linetable_size=210\n" % (
            number, number, number + 1,
        )
    frame = "FRAME_PUSH code_object_id=%d instruction_offset=12 is_entry_frame=1\n"
    block = "ALLOCATION address=%s size=%d allocator=%s native_frame_id=0\n"
    for number in range(lines // 40):
        yield frame % (number % 1000)
        for at in range(20):
            yield block % (address(20 * number + at), 48, "pymalloc_malloc")
        for at in range(18):
            yield block % (address(20 * number + at), 0, "free")
        yield "FRAME_POP count=1\n"
    yield "TRAILER\n"


def heaptrack(lines):
    """Of ten blocks nine are freed, soon."""
    yield "v 10400 3\nX ./shop\nI 1000 5e2922\ns 9 /srv/shop\ns 4 main\ns 6 shop.c\n"
    for number in range(1000):
        yield "i %x 1 2 3 %x\nt %x 0\na %x %x\n" % (0x560000001000 + number, number + 1, number + 1, 48, number + 1)
    for number in range(lines // 19):
        yield "+ %x\n" % (number % 1000) * 10 + "- %x\n" % (number % 1000) * 9


def xpcom_refcnt(lines):
    """Of ten objects nine are freed, soon; each has a stack of four frames."""
    frames = "".join("    #0%d: nsClass::F%d(int) [/src/dom/nsClass.cpp:%d]\n" % (at, at, 40 + at) for at in range(1, 5))
    text = "<nsClass%d> %s %d %s %d [thread 0x7f2a2ff0]\n"
    for number in range(lines // 9):
        name, place = number % CLASSES, address(number)
        yield text % (name, place, number + 1, "AddRef", 1) + frames
        yield text % (name, place, number + 1, "AddRef", 2) + text % (name, place, number + 1, "Release", 1)
        yield text % (name, place, number + 1, "AddRef", 2)
        yield text % (name, place, number + 1, "Release", 1 if number % 10 == 0 else 0)


def bloatview(lines):
    yield "== BloatView: ALL (cumulative) LEAK AND BLOAT STATISTICS, default process 1862\n"
    for number in range(lines - 2):
        yield "%9d |nsClass%-30d |       16       16|      51        1|\n" % (number, number % 10000)
    yield "nsTraceRefcnt::DumpStatistics: %d entries\n" % (lines - 2)


def php_meminfo(lines):
    n = lines // 13
    yield '{\n  "header" : {\n    "memory_usage" : 399784\n  },\n  "items": {\n'
    for number in range(n):
        yield (
            '    "%s" : {\n        "type" : "object",\n        "size" : "72",\n        "is_root" : false\n,\n'
            '        "class" : "Shop\\\\Class%d",\n        "object_handle" : "%d",\n        "children" : {\n'
            '            "next":"%s",\n            "parent":"%s"\n        }\n\n    }%s\n'
        ) % (
            address(number), number % CLASSES, number, address((number + 1) % n), address(number // 2),
            "," if number < n - 1 else "",
        )
    yield "}\n}\n"


def refcycle(lines):
    """A vertex and two edges in 200 bytes."""
    n = lines * 50 // 210
    yield '{"vertices": ['
    for number in range(n):
        yield '{"id": %d, "annotation": "object\\napp.Class%d"}%s' % (
            BASE + 64 * number, number % CLASSES, ", " if number < n - 1 else "",
        )
    yield '], "edges": ['
    for number in range(2 * n):
        tail = number // 2
        head = (tail + 1) % n if number % 2 else tail // 2
        yield '{"id": %d, "annotation": "value", "head": %d, "tail": %d}%s' % (
            number, BASE + 64 * head, BASE + 64 * tail, ", " if number < 2 * n - 1 else "",
        )
    yield "]}"


def v8(lines):
    """A node and two edges in three lines."""
    n = lines // 3
    yield (
        '{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],'
        '"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],'
        '"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],'
        '"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],'
        '"trace_function_info_fields":[],"trace_node_fields":[],"sample_fields":[],"location_fields":[]},'
        '"node_count":%d,"edge_count":%d,"trace_function_count":0},\n"nodes":[' % (n, 2 * n)
    )
    for number in range(n):
        yield "%s%d,%d,%d,48,2,0,0\n" % ("," if number else "", 3 if number else 9, 1 + number % CLASSES, 2 * number + 1)
    yield '],\n"edges":['
    for number in range(n):
        yield "%s2,%d,%d\n,2,%d,%d\n" % (
            "," if number else "", CLASSES + 1, 7 * ((number + 1) % n), CLASSES + 2, 7 * (number // 2),
        )
    texts = ["", *("Class%d" % number for number in range(CLASSES)), "next", "parent"]
    yield '],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[],\n"strings":[%s]}' % ",\n".join(
        '"%s"' % text for text in texts
    )


FORMATS = {
    "gc-debug": gc_debug,
    "cc-edges": cc_edges,
    "dumprefs": dumprefs,
    "leaks": leaks,
    "meliae": meliae,
    "ruby": ruby,
    "memray": memray,
    "heaptrack": heaptrack,
    "xpcom-refcnt": xpcom_refcnt,
    "bloatview": bloatview,
    "php-meminfo": php_meminfo,
    "refcycle": refcycle,
    "v8": v8,
}


def write(path, make, lines):
    with open(path, "w", buffering=1 << 20) as file:
        file.writelines(make(lines))


def cpu(command):
    """User and system seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help="the default is all")
    parser.add_argument("--refloop", default=os.path.join(HERE, "../../target/release/refloop"))
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("%-14s%8s%12s%12s%12s%10s" % ("", "MB", "wc -l", "check", "of half", "x wc -l"))
    for name in options.formats or FORMATS:
        with tempfile.TemporaryDirectory(prefix="refloop-importers-") as folder:
            path, half = os.path.join(folder, "log"), os.path.join(folder, "half")
            write(path, FORMATS[name], options.lines)
            write(half, FORMATS[name], options.lines // 2)
            commands = [["wc", "-l", path], [options.refloop, "check", path], [options.refloop, "check", half]]
            rounds = [[cpu(command) for command in commands] for _ in range(options.rounds)]
            wc, whole, of_half = (statistics.median(figures) for figures in zip(*rounds))
            megabytes = os.path.getsize(path) / 1e6
            ratio = whole / max(wc, 0.001)
            print("%-14s%8.0f%10.3f s%10.2f s%10.2f s%10.0f" % (name, megabytes, wc, whole, of_half, ratio), flush=True)


if __name__ == "__main__":
    main()
