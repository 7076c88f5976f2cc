#!/usr/bin/env bash
# A document that jsonschema rejects stays with its error until the collector comes by.
#
# jsonschema.validate has the best error in a local variable and raises it: the
# error's traceback has that frame, and the frame the error. The error holds the
# rejected document (.instance), so a service that answers bad requests keeps each
# of them. A document that is accepted goes at once, and so does one whose errors
# are taken from iter_errors().
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with jsonschema 4.26.0. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
rejected by validate(): 20 of 20 alive; after gc.collect(): 0
told by iter_errors(): 0 of 20 alive; after gc.collect(): 0
accepted: 0 of 20 alive; after gc.collect(): 0
EOF
cat >"$work/loop.py" <<'EOF'
import gc
import weakref

import jsonschema

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
validator = jsonschema.Draft202012Validator(SCHEMA)


class Document(dict):
    """A dict that can be watched."""


def validate(document):
    try:
        jsonschema.validate(document, SCHEMA)
    except jsonschema.ValidationError:
        pass


def errors(document):
    return [error.message for error in validator.iter_errors(document)]


def look(what, check, name):
    check(Document(name=name))
    gc.collect()
    gc.disable()
    watched = []
    for _ in range(20):
        document = Document(name=name)
        watched.append(weakref.ref(document))
        check(document)
        del document
    alive = sum(document() is not None for document in watched)
    gc.collect()
    after = sum(document() is not None for document in watched)
    print(f"{what}: {alive} of 20 alive; after gc.collect(): {after}")


look("rejected by validate()", validate, [1])
look("told by iter_errors()", errors, [1])
look("accepted", validate, "ann")
EOF

"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet \
    --disable-pip-version-check "jsonschema==4.26.0" || exit 2
"$work/venv/bin/python" "$work/loop.py" >"$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
