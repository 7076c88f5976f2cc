#!/usr/bin/env bash
# After gc.freeze() objgraph and pympler.muppy see none of the older objects.
#
# Both list the heap with gc.get_objects(), which leaves out the permanent
# generation that gc.freeze() moves objects to. Servers call it before they fork
# workers. The tools give 0, without a warning, for what was there before, and
# gc.get_referrers() finds no owner among it. guppy walks from the modules instead
# and sees what can be reached from there. gc.unfreeze() brings all back.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with objgraph 3.7.0, Pympler 1.1 and guppy3 3.1.7. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check \
    objgraph==3.7.0 Pympler==1.1 guppy3==3.1.7 || exit 2

cat >"$work/expected" <<'EOF'
before: objgraph 100, muppy 100, guppy 100, list found as referrer True
frozen: objgraph 0, muppy 0, guppy 100, list found as referrer False
unfrozen: objgraph 100, muppy 100, guppy 100, list found as referrer True
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import gc
import guppy
import objgraph
from pympler import muppy

class Row:
    pass

class Table:
    def __init__(self):
        self.rows = [Row() for _ in range(100)]

table = Table()
heapy = guppy.hpy()

def show(when):
    print(f"{when}: objgraph {objgraph.count('Row')},",
          f"muppy {sum(type(item) is Row for item in muppy.get_objects())},",
          f"guppy {(heapy.heap() & Row).count},",
          f"list found as referrer {any(r is table.rows for r in gc.get_referrers(table.rows[0]))}")

show("before")
gc.freeze()
show("frozen")
gc.unfreeze()
show("unfrozen")
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
