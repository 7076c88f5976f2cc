#!/usr/bin/env bash
# A copied or unpickled instance is much bigger than the one that was copied.
#
# Since CPython 3.11 an ordinary instance needs no dict. copy.copy() and
# pickle.loads() go through obj.__dict__, which makes CPython create one: a copy
# has at least 64 bytes more than what __init__ made (160 for 96; 152 for 88 on
# 3.12) as long as it lives, and copy.copy() enlarges its source as well.
# A cache filled by unpickling is therefore two thirds bigger than the one that
# was saved. dataclasses.replace() calls __init__ and costs nothing.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits),
# with the standard library alone. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
Row() at most 96: True
growth of each by copy.copy: 64
dataclasses.replace more: 0
copy.copy at least 64 more: True
pickle.loads at least 64 more: True
EOF

"$python" - >"$work/seen" <<'EOF'
import copy
import dataclasses
import gc
import pickle
import tracemalloc

@dataclasses.dataclass
class Row:
    x: object
    y: object
    z: object

def traced(work, count=2000):
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round((after - before) / count)

def make(function):
    kept.extend([None] * (2000 - len(kept)))
    for index in range(2000):
        kept[index] = function()

kept = []
make(lambda: Row(None, None, None))       # the class finds its final layout
source = Row(None, None, None)
saved = pickle.dumps(source)

def cost(function):
    kept[:] = [None] * 2000
    return traced(lambda: make(function))

made = cost(lambda: Row(None, None, None))
print("Row() at most 96:", made <= 96)
print("growth of each by copy.copy:", traced(lambda: [copy.copy(row) for row in kept] and None))
print("dataclasses.replace more:", cost(lambda: dataclasses.replace(source, x=None)) - made)
print("copy.copy at least 64 more:", cost(lambda: copy.copy(source)) - made >= 64)
print("pickle.loads at least 64 more:", cost(lambda: pickle.loads(saved)) - made >= 64)
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
