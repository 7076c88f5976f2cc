#!/usr/bin/env bash
# Measuring an instance with pympler.asizeof makes it 64 bytes bigger, for good.
#
# Since CPython 3.11 an ordinary instance has no dict: its attributes stand in an
# array of values. asizeof() reads obj.__dict__, which makes CPython create a dict
# for this instance that lives as long as the instance does. A service that
# measures its own objects grows by 64 bytes for each (here from 96 to 160).
# sys.getsizeof() does not read it, but leaves the values out (48 or 56 of 96).
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with Pympler 1.1. Output: see "expected" below.
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
    Pympler==1.1 || exit 2

cat >"$work/expected" <<'EOF'
bytes allocated for an instance, 88 to 96: True
sys.getsizeof leaves its values out: True
growth of each by sys.getsizeof: 0
growth of each by asizeof: 64
growth of each by asizeof, second time: 0
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import gc
import sys
import tracemalloc
from pympler import asizeof

class Point:
    def __init__(self):
        self.x = self.y = self.z = None

def traced(work, count=2000):
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round((after - before) / count)

points = [Point() for _ in range(2000)]   # the class finds its final layout
asizeof.asizeof(points[0])                # pympler fills its own tables

def make():
    for index in range(2000):
        points[index] = Point()

def measure(size):
    for point in points:
        size(point)

print("bytes allocated for an instance, 88 to 96:", 88 <= traced(make) <= 96)
print("sys.getsizeof leaves its values out:", sys.getsizeof(points[0]) <= 56)
print("growth of each by sys.getsizeof:", traced(lambda: measure(sys.getsizeof)))
print("growth of each by asizeof:", traced(lambda: measure(asizeof.asizeof)))
print("growth of each by asizeof, second time:", traced(lambda: measure(asizeof.asizeof)))
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
