#!/usr/bin/env bash
# objgraph counts 0 of 1,000 living msgspec structs, but counts those with a list.
#
# msgspec starts to track a Struct for the collector only when a field holds
# something that could be in a loop. gc.get_objects(), and with it objgraph.count
# and objgraph.show_growth, know tracked objects only: a cache that grows by such
# structs shows no growth. muppy sees them, as referents of the list around them.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with msgspec 0.22.0, objgraph 3.7.0 and Pympler 1.1. Output: see "expected" below.
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
    msgspec==0.22.0 objgraph==3.7.0 Pympler==1.1 || exit 2

cat >"$work/expected" <<'EOF'
Point: 1000 alive, tracked 0, objgraph 0, muppy 1000
Tagged: 1000 alive, tracked 1000, objgraph 1000, muppy 1000
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import gc
import msgspec
import objgraph
from pympler import muppy

class Point(msgspec.Struct):
    x: int
    y: int

class Tagged(msgspec.Struct):
    x: int
    tags: list

cache = [Point(1, 2) for _ in range(1000)] + [Tagged(1, []) for _ in range(1000)]
for cls in Point, Tagged:
    tracked = sum(gc.is_tracked(item) for item in cache if type(item) is cls)
    seen = sum(type(item) is cls for item in muppy.get_objects())
    print(f"{cls.__name__}: 1000 alive, tracked {tracked},",
          f"objgraph {objgraph.count(cls.__name__)}, muppy {seen}")
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
