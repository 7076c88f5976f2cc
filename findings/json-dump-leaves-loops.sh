#!/usr/bin/env bash
# Every json.dump() and every ast.literal_eval() leaves a reference loop behind.
#
# json.dump() encodes with nested Python functions that call one another through
# closure cells; so does ast.literal_eval(). Nothing but the collector frees them:
# about 30 and about 10 objects a call. json.dumps() of the same data leaves none.
# With gc.disable(), or a large gc.set_threshold(), a program that writes JSON
# grows by this alone, and it hides the program's own loops in gc.get_stats().
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
json.dumps leaves 0.0
json.dump leaves more than 25: True
json.loads leaves 0.0
ast.literal_eval leaves more than 8: True
EOF

"$python" - >"$work/seen" <<'EOF'
import ast
import gc
import io
import json

def left(call):
    call()
    gc.collect()
    for _ in range(100):
        call()
    return gc.collect() / 100

gc.disable()
data = {"a": [1, 2]}
print("json.dumps leaves", left(lambda: json.dumps(data)))
print("json.dump leaves more than 25:", left(lambda: json.dump(data, io.StringIO())) > 25)
print("json.loads leaves", left(lambda: json.loads("[1, 2]")))
print("ast.literal_eval leaves more than 8:", left(lambda: ast.literal_eval("[1, 2]")) > 8)
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
