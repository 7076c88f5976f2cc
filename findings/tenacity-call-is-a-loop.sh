#!/usr/bin/env bash
# Each call of a function under @tenacity.retry leaves a loop, also the first that works.
#
# The state of a call holds a list of what is to be done next, among it methods of
# the Retrying object, which holds the state in its thread-local: 14 objects a
# call on the path that never retries. Where the attempts are used up there is a
# second loop, through the last exception, its traceback and the frame that has
# the state in a variable: what the function had in its own variables stays with
# it until the collector comes by.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with tenacity 9.2.1. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
works at once: garbage at each call True
gives up: garbage at each call True, 20 of 20 arguments alive; after gc.collect(): 0
without tenacity: garbage at each call False, 0 of 20 arguments alive; after gc.collect(): 0
EOF
cat >"$work/loop.py" <<'EOF'
import gc
import weakref

import tenacity

retried = tenacity.retry(stop=tenacity.stop_after_attempt(2), wait=tenacity.wait_none())


class Argument:
    pass


@retried
def works():
    return 1


def fails(argument):
    raise ValueError("no")


def gives_up(function, argument):
    try:
        function(argument)
    except (ValueError, tenacity.RetryError):
        pass


works()
gives_up(retried(fails), Argument())
gc.collect()
gc.disable()

for _ in range(20):
    works()
print(f"works at once: garbage at each call {gc.collect() >= 20}")

for name, function in [("gives up", retried(fails)), ("without tenacity", fails)]:
    watched = []
    for _ in range(20):
        argument = Argument()
        watched.append(weakref.ref(argument))
        gives_up(function, argument)
        del argument
    alive = sum(argument() is not None for argument in watched)
    garbage = gc.collect()
    after = sum(argument() is not None for argument in watched)
    print(f"{name}: garbage at each call {garbage >= 20}, {alive} of 20 arguments alive; after gc.collect(): {after}")
EOF

"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet \
    --disable-pip-version-check "tenacity==9.2.1" || exit 2
"$work/venv/bin/python" "$work/loop.py" >"$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
