#!/usr/bin/env bash
# Tools differ by a factor of a million on arrays and frames that share memory.
#
# pympler.asizeof gives a one-element numpy view the size of the whole array it
# looks at, and an object array the size of its pointers, without the elements.
# pandas' memory_usage(deep=True) adds up the size of each element, so that one
# object in 1,000 rows is counted 1,000 times, and asizeof of the frame repeats
# that sum. polars counts 8 bytes for an object of any size.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with numpy 2.4.6, pandas 3.1.1, polars 2.1.0, Pympler 1.1. Output: "expected".
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
    numpy==2.4.6 pandas==3.1.1 polars==2.1.0 Pympler==1.1 || exit 2

cat >"$work/expected" <<'EOF'
view of 8 bytes: asizeof over 8,000,000: True - getsizeof under 200: True
array of three lists of 8,000 bytes: asizeof under 200: True
frame with one blob in 1,000 rows: deep usage over 1,000,000,000: True - asizeof too: True
polars, estimated size of one object of 1,000,000 bytes: 8
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import sys
import numpy
import pandas
import polars
from pympler import asizeof

view = numpy.zeros(1_000_000)[:1]
print("view of 8 bytes: asizeof over 8,000,000:", asizeof.asizeof(view) > 8_000_000,
      "- getsizeof under 200:", sys.getsizeof(view) < 200)

lists = numpy.empty(3, dtype=object)
lists[:] = [[0] * 1000 for _ in range(3)]
print("array of three lists of 8,000 bytes: asizeof under 200:", asizeof.asizeof(lists) < 200)

blob = bytes(1_000_000)
frame = pandas.DataFrame({"blob": [blob] * 1000})
print("frame with one blob in 1,000 rows: deep usage over 1,000,000,000:",
      frame.memory_usage(deep=True).sum() > 1_000_000_000,
      "- asizeof too:", asizeof.asizeof(frame) > 1_000_000_000)
print("polars, estimated size of one object of 1,000,000 bytes:",
      polars.Series([blob], dtype=polars.Object).estimated_size())
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
