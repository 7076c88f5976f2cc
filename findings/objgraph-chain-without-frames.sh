#!/usr/bin/env bash
# objgraph finds no reason why an object lives that only a local variable holds.
#
# CPython tracks the frame of a function for the collector only once it outlives
# its call. So gc.get_referrers() of a running function's local is empty, even
# when sys._getframe() has made the frame object, and find_backref_chain() answers
# with the object alone, just as for an object that C code holds. "No referrers"
# is no sign of a leak in C. The local of a suspended generator is found.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with objgraph 3.7.0. Output: see "expected" below.
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
    objgraph==3.7.0 || exit 2

cat >"$work/expected" <<'EOF'
local of a running function: referrers [], chain of 1
the same, frame object made: referrers [], chain of 1
local of a suspended generator: referrers ['generator'], chain of 4
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import gc
import sys
import objgraph

class Job:
    pass

def look(job):
    kinds = sorted(type(referrer).__name__ for referrer in gc.get_referrers(job))
    chain = objgraph.find_backref_chain(job, objgraph.is_proper_module)
    return f"referrers {kinds}, chain of {len(chain)}"

def running():
    job = Job()
    return look(job)

def running_with_frame():
    job = Job()
    frame = sys._getframe()
    return look(job)

def suspended():
    job = Job()
    yield job

print("local of a running function:", running())
print("the same, frame object made:", running_with_frame())
generator = suspended()
print("local of a suspended generator:", look(next(generator)))
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
