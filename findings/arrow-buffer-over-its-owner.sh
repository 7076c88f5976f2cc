#!/usr/bin/env bash
# An object that keeps a pyarrow buffer over its own memory is never freed.
#
# pyarrow.py_buffer(chunk) holds chunk in C++, and the Buffer of Python does not
# show that to the collector: gc.get_referents() does not lead there. A chunk that
# keeps the buffer of itself is a loop that gc.collect() does not free. With
# memoryview(chunk) in its place the collector frees it. A table, an array and
# a record batch over such a buffer hold the chunk as well.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with pyarrow 26.0.1. Output: "expected".
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check pyarrow==26.0.1 || exit 2

cat >"$work/expected" <<'EOF'
memoryview: freed by gc.collect(): True - shows its owner: True
pyarrow.Buffer: freed by gc.collect(): False - shows its owner: False
pyarrow.Array: freed by gc.collect(): False - shows its owner: False
pyarrow.Table: freed by gc.collect(): False - shows its owner: False
EOF

cat >"$work/program.py" <<'EOF'
import gc
import weakref

import pyarrow


class Chunk(bytearray):
    pass


def array(chunk):
    return pyarrow.Array.from_buffers(pyarrow.int8(), len(chunk), [None, pyarrow.py_buffer(chunk)])


ways = {
    "memoryview": memoryview,
    "pyarrow.Buffer": pyarrow.py_buffer,
    "pyarrow.Array": array,
    "pyarrow.Table": lambda chunk: pyarrow.table({"n": array(chunk)}),
}
for name, way in ways.items():
    chunk = Chunk(1000)
    chunk.view = way(chunk)
    referents = gc.get_referents(chunk.view)
    shows = any(referent is chunk for referent in [*referents, *gc.get_referents(*referents)])
    dead = weakref.ref(chunk)
    del chunk, referents
    gc.collect()
    print(f"{name}: freed by gc.collect(): {dead() is None} - shows its owner: {shows}")
EOF
"$work/venv/bin/python" "$work/program.py" >"$work/seen"
cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
