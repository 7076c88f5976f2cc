#!/usr/bin/env bash
# An object that is reachable from its own numpy object array is never freed.
#
# numpy.ndarray takes no part in garbage collection: its type has no traversal,
# so the collector cannot see the elements of an array of dtype=object. The same
# loop through a list is freed. gc.collect() returns 0, gc.garbage stays empty,
# and gc.get_referrers() of an element does not name the array.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with numpy 2.4.6. Output: see "expected" below.
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
    numpy==2.4.6 || exit 2

cat >"$work/expected" <<'EOF'
InList: 100 made and dropped, collected: True, alive: 0
InArray: 100 made and dropped, collected: False, alive: 100
referents the array shows: []
array among the referrers of its element: False
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import gc
import weakref
import numpy

class InList:
    def __init__(self):
        self.cells = [self]

class InArray:
    def __init__(self):
        self.cells = numpy.empty(1, dtype=object)
        self.cells[0] = self

for cls in InList, InArray:
    gc.collect()
    canaries = [weakref.ref(cls()) for _ in range(100)]
    found = gc.collect()
    alive = sum(canary() is not None for canary in canaries)
    print(f"{cls.__name__}: 100 made and dropped, collected: {found > 0}, alive: {alive}")

array = numpy.empty(1, dtype=object)
array[0] = element = InList()
print("referents the array shows:", gc.get_referents(array))
print("array among the referrers of its element:",
      any(referrer is array for referrer in gc.get_referrers(element)))
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
