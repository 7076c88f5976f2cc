#!/usr/bin/env bash
# memray's leaks are named after the function that once made room, not the leaking one.
#
# Small objects come from pymalloc, which takes memory from the system in arenas.
# Without --trace-python-allocators memray sees arenas only: when most objects of
# one function are dropped and another function's leak fills the holes, all bytes
# of the leak are put down to the first, and none to the second. With the option
# the right function is named.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with memray 1.20.0. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
arenas only: innocent() has most leaked bytes, leak() has over 1 MB: False
all allocators: leak() has most leaked bytes, leak() has over 1 MB: True
EOF
"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check \
    memray==1.20.0 || exit 2

cat >"$work/program.py" <<'EOF'
class Row:
    __slots__ = ("a", "b")

def innocent():
    rows = []
    for _ in range(300_000):
        rows.append(Row())
    return rows[::2000]            # a few living rows keep every arena

def leak(kept):
    for index in range(len(kept)):
        kept[index] = Row()

FEW = innocent()
KEPT = [None] * 100_000
leak(KEPT)
EOF

cat >"$work/read.py" <<'EOF'
import collections
import sys
import memray

size = collections.Counter()
for record in memray.FileReader(sys.argv[1]).get_leaked_allocation_records():
    for function, path, _ in record.stack_trace()[:1]:
        if path.endswith("program.py"):
            size[function] += record.size
print(f"{sys.argv[2]}: {size.most_common(1)[0][0]}() has most leaked bytes,",
      f"leak() has over 1 MB: {size['leak'] > 1_000_000}")
EOF

record() {
    "$work/venv/bin/python" -m memray run -q -o "$work/$1.bin" "${@:3}" "$work/program.py" 2>/dev/null
    "$work/venv/bin/python" "$work/read.py" "$work/$1.bin" "$2" 2>/dev/null
}
record arenas "arenas only" >"$work/seen"
record objects "all allocators" --trace-python-allocators >>"$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
