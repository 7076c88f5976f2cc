"""Records programs that use packages, applies each cut that is offered, and says what breaks: try.py FOLDER PYTHON [PROGRAM ...]

A cut is right when the program gives what it gave, no weak reference was found dead, and the loops are gone. PYTHONPATH tells
where the packages are; REFLOOP the command.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REFLOOP = os.environ.get("REFLOOP", HERE.parents[1] / "target/release/refloop")
TIMES = 5


def run(command, **more):
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False, **more
    )


def changed(python, folder, program, changes):
    """What the program gives, how much garbage it leaves, how often a weak reference was found dead, how many were made, and
    the types of the garbage.
    """
    done = run([python, "-W", "ignore", HERE / "changed.py", folder, program, str(TIMES), json.dumps(changes)])
    lines, _, last = done.stdout.rpartition("left ")
    numbers = re.fullmatch(r"(\d+) missed (\d+) made (\d+) (.*)\n", last)
    if done.returncode or not numbers:
        return done.stderr.strip().splitlines()[-1:] or ["failed"], 0, 0, 0, {}
    return lines, int(numbers[1]), int(numbers[2]), int(numbers[3]), json.loads(numbers[4])


def change(row, cut):
    """What to apply for a reference of a report; nothing where that is to be done by hand."""
    reference = cut["reference"]
    local = re.fullmatch(r"frame ([\w.<>]+): local (\w+)", reference)
    if local:
        function = local[1].rpartition(".")[2]
        files = {
            place["path"]
            for place in row["definitions"] + row["site"]
            if place["function"].rpartition(".")[2] == function
        }
        return [["local", file, function, local[2]] for file in sorted(files)]
    first, _, others = reference.partition(", and ")
    if "__weakref__" in cut["replacement"] or cut["replacement"].startswith(("None,", "None when")):
        return []
    step = next((step for step in row["steps"] if step["label"] + step["slot"] == first), None)
    if (
        step is None
        or not re.fullmatch(r"\.\w+", step["slot"])
        or step["type"].count(".") == 0
        or "<locals>" in step["type"]
    ):
        return []
    name = step["slot"][1:]
    types = [step["type"]]
    if others:
        types += [member for member in row["types"]["members"] if "." in member and member != step["type"]]
    kind = "itself" if cut["replacement"] == "None in place of self" else "attribute"
    return [[kind, type_name, name] for type_name in types]


def judge(before, after, row, cut):
    lines, left, _, _, types = before
    given, still, missed, made, _ = after
    if isinstance(given, list) and "immutable type" in given[0]:
        return "by hand"
    if given != lines:
        return "BROKEN " + (given[0] if isinstance(given, list) else "other output")
    if missed:
        return f"BROKEN {missed} weak references were dead"
    members = [[name, *row["subclasses"].get(name, [])] for name in row["types"]["members"] if "." in name]
    if not all(any(name in types for name in names) for names in members):
        return "elsewhere: no call leaves such a loop"
    if not made and "frame " not in cut["reference"]:
        return "by hand: the attribute is not set as one"
    # The first of the calls, which is not counted, made loops as well.
    freed = row["gc_objects"] * TIMES // (TIMES + 1) * 9 // 10
    if cut["is_enough"] and left - still < freed:
        return f"STAYS {left} objects before, {still} after, {freed} were promised"
    return f"right: {left} objects before, {still} after"


def offers(row):
    """The offered cut with what is to be cut as well, and each that may be the one in its place."""
    cut = row["cut"]
    if not cut:
        return
    yield "either" if cut["is_question"] else "cut", [cut, *cut["more"]]
    for other in cut["alternatives"]:
        yield "either", [other]


def program(python, folder, name, trace):
    command = [python, "-W", "ignore", HERE / "changed.py", folder, name, str(TIMES)]
    recorded = run([REFLOOP, "record", "-q", "-o", trace, "--", *command])
    if recorded.returncode or not os.path.exists(trace):
        return [{"program": name, "result": "NOT RECORDED " + recorded.stderr.strip()[-200:]}]
    before = changed(python, folder, name, [])
    if before[0] != recorded.stdout.rpartition("left ")[0]:
        return [{"program": name, "result": "NOT STEADY"}]
    rows = json.loads(run([REFLOOP, "loops", "-q", "--format", "json", trace]).stdout)["loops"]
    told = []
    for row in rows:
        if row["count"] < TIMES:
            continue
        common = {"program": name, "path": row["path"], "count": row["count"], "owner": row["owner"]}
        if not row["cut"]:
            told.append({**common, "kind": "none", "result": "no cut", "advice": row["advice"]})
        for kind, cuts in offers(row):
            said = {
                **common,
                "kind": kind,
                "cut": " + ".join(cut["reference"] for cut in cuts),
                "to": cuts[0]["replacement"],
                "evidence": row["cut"]["evidence"],
                "replay": (row["cut"]["replay"] or {}).get("text"),
                "pattern": row["pattern"],
            }
            changes = [change(row, cut) for cut in cuts]
            if not all(changes):
                said["result"] = "by hand"
            else:
                after = changed(python, folder, name, sum(changes, []))
                said["result"] = judge(before, after, row, row["cut"] if kind == "cut" else {**cuts[0], "is_enough": False})
            told.append(said)
    return told or [{"program": name, "result": "no loop"}]


def main(folder, python, *names):
    names = names or sorted(path.stem for path in pathlib.Path(folder).glob("*.py"))
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            try:
                told = program(python, folder, name, os.path.join(place, "t.reftrace"))
            except subprocess.TimeoutExpired:
                told = [{"program": name, "result": "NOT IN TIME"}]
        for line in told:
            print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
