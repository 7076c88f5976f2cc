"""A pretended ``refloop``: answers ``check --format json`` from the traces of the pretended agent."""

import json
import os
import sys
from pathlib import Path

BASELINE = "refloop-baseline.txt"


def main(arguments):
    if arguments[:1] != ["check"]:
        print("error: unknown command", file=sys.stderr)
        return 2
    if os.environ.get("FAKE_CHECK"):
        code, text = os.environ["FAKE_CHECK"].split(" ", 1)
        print(f"error: {text}", file=sys.stderr)
        return int(code)
    traces = arguments[arguments.index("--") + 1 :]
    rows = {}
    for trace in traces:
        mark = None
        for line in map(json.loads, Path(trace).read_text().splitlines()):
            mark = line.get("mark", mark)
            if "loop" in line:
                row = rows.setdefault(line["loop"], new_row(line))
                row["count"] += 1
                row["marks"][mark] = row["marks"].get(mark, 0) + 1
    baseline = Path(arguments[arguments.index("--baseline") + 1] if "--baseline" in arguments else BASELINE)
    if "--write-baseline" in arguments:
        baseline.write_text("\n".join(rows))
    known = baseline.read_text().splitlines() if "--baseline" in arguments or "--write-baseline" in arguments else []
    for path, row in rows.items():
        if path in known:
            row["standing"]["name"] = "known"
    failed = any(row["standing"]["name"] == "fails" for row in rows.values())
    findings = [dict(row, rule="cyclic-garbage", message=row["path"]) for row in rows.values()]
    n_known = sum(row["standing"]["name"] == "known" for row in rows.values())
    gate = {"failed": failed, "not_counted": [f"{n_known} in the baseline"] if n_known else []}
    print(json.dumps({"loops": list(rows.values()), "findings": findings, "gate": gate}))
    return int(failed)


def new_row(line):
    members = line.get("types", ["app.Order"])
    cut = line.get("cut")
    label, _, name = (cut or ".").rpartition(".")
    step = {"label": label, "type": f"app.{label}", "slot": f".{name}"}
    return {
        "fingerprint": f"{sum(line['loop'].encode()):016x}",
        "path": line["loop"],
        "steps": [step] if cut else [],
        "count": 0,
        "objects": 2,
        "total_bytes": 2048,
        "held_objects": 0,
        "collected": 0,
        "owner": "application",
        "site": [{"path": line.get("site", "app.py"), "line": 42, "function": "make_order"}],
        "other_sites": 0,
        "marks": {},
        "pattern": line.get("pattern"),
        "advice": None,
        "cut": {"reference": cut, "replacement": "None", "alternatives": []} if cut else None,
        "definitions": [{"path": "app.py", "line": 7, "function": f"class {label}"}] if cut else [],
        "standing": {"name": line.get("standing", "fails"), "reason": None},
        "text": [
            f"LOOP {line['loop']}",
            f"    {line['loop']}",
            "    made at      app.py:42 make_order",
            *line.get("remarks", []),
        ],
        "types": {"members": dict.fromkeys(members, 1), "held": {}},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
