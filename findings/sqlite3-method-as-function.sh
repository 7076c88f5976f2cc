#!/usr/bin/env bash
# A class that registers its own method as an SQL function is never freed.
#
# sqlite3.Connection supports garbage collection, but the callables given to
# create_function, create_aggregate and create_collation are kept in SQLite's own
# memory, where the collector does not see them. The loop object -> connection ->
# method -> object stays for ever, until Connection.close() is called by hand.
# A method given to set_trace_callback is freed.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits),
# with the standard library's sqlite3 alone. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
set_trace_callback: 0 of 100 alive after gc.collect()
create_function: 100 of 100 alive after gc.collect()
create_collation: 100 of 100 alive after gc.collect()
create_function, then close(): 0 of 100 alive after gc.collect()
EOF

"$python" - >"$work/seen" <<'EOF'
import gc
import sqlite3
import weakref

class Store:
    def __init__(self, register):
        self.db = sqlite3.connect(":memory:")
        register(self.db, self)

    def method(self, *args):
        return 0

ways = {
    "set_trace_callback": lambda db, store: db.set_trace_callback(store.method),
    "create_function": lambda db, store: db.create_function("f", 1, store.method),
    "create_collation": lambda db, store: db.create_collation("c", store.method),
    "create_function, then close()": lambda db, store: (
        db.create_function("f", 1, store.method), db.close()),
}
for name, register in ways.items():
    canaries = [weakref.ref(Store(register)) for _ in range(100)]
    gc.collect()
    alive = sum(canary() is not None for canary in canaries)
    print(f"{name}: {alive} of 100 alive after gc.collect()")
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
