#!/usr/bin/env bash
# meliae shows dicts of Python 3 without their keys, and the values as keys of each other.
#
# A dump has what CPython's `tp_traverse` visits. Of a dict whose keys are all
# texts that is the values alone, and of any other dict each value before its
# key. meliae's loader still takes the references for pairs of key and value, as
# Python 2 visited them: four values become two pairs, and where there are keys
# they are swapped with the values.
# Whoever looks for the key of a cache that holds an object is led astray.
#
# Seen on CPython 3.8.18 (Linux, 64 bits) with meliae 0.5.1, which does not
# build on 3.11 and later. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 10))' || {
    echo "needs CPython 3.8 to 3.10: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF2'
keys are texts: 4 entries, as meliae tells: list: list, list: list
one key is a number: 2 entries, as meliae tells: list: first, list: 2
EOF2
"$python" -m venv "$work/venv" || exit 2
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    'cython==0.29.37' 'setuptools==68.2.2' 'wheel==0.41.3' six==1.16.0 simplejson==3.19.2 || exit 2
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation meliae==0.5.1 || exit 2

cat >"$work/program.py" <<'EOF2'
import sys
from meliae import loader, scanner

texts = {"first": [1.5], "second": [2.5], "third": [3.5], "fourth": [4.5]}
mixed = {"first": [1.5], 2: [2.5]}
scanner.dump_all_objects(sys.argv[1])
dump = loader.load(sys.argv[1], show_prog=False)


def called(value):
    return getattr(value, "type_str", value)


for name, of in (("keys are texts", texts), ("one key is a number", mixed)):
    pairs = dump[id(of)].refs_as_dict().items()
    read = ", ".join(f"{called(key)}: {called(value)}" for key, value in pairs)
    print(f"{name}: {len(of)} entries, as meliae tells: {read}")
EOF2
"$work/venv/bin/python" "$work/program.py" "$work/dump.json" 2>"$work/errors" >"$work/seen" || {
    cat "$work/errors" >&2
    exit 2
}
tail -2 "$work/seen" >"$work/last"
cat "$work/last"
diff "$work/expected" "$work/last" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
