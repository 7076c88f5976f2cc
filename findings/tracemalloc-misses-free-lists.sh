#!/usr/bin/env bash
# tracemalloc does not count an object whose block comes from a free list.
#
# CPython keeps up to 80 dead lists, and some dead dicts, tuples and floats, for
# the next of their kind. A list made from such a block after tracemalloc.start()
# has no traceback and no size if the block was allocated before it; the first 80
# of 1,000 lists are missing here. tracemalloc.start() late in a program, which
# is the usual way, therefore misses objects of exactly the most frequent kinds.
# Calling gc.collect() first empties the free lists (on 3.11 to 3.14).
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
gc.collect() before: False; without traceback: 80 of 1000
gc.collect() before: True; without traceback: 0 of 1000
EOF

"$python" - >"$work/seen" <<'EOF'
import gc
import tracemalloc

def missed():
    dead = [[] for _ in range(500)]
    keep = [None] * 1000
    del dead                                # 80 of them go to the free list
    if empty_first:
        gc.collect()
    tracemalloc.start()
    for index in range(1000):
        keep[index] = []
    count = sum(tracemalloc.get_object_traceback(item) is None for item in keep)
    tracemalloc.stop()
    return count

gc.disable()
for empty_first in False, True:
    print(f"gc.collect() before: {empty_first}; without traceback: {missed()} of 1000")
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
