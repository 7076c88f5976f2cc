#!/usr/bin/env bash
# A decoder that keeps its own method as tag_hook: freed with cbor2 5, not with 6.
#
# cbor2 6 is a rewrite. Its CBORDecoder has the garbage collection flag, so that
# gc.is_tracked() is true and the type looks harmless, but its traversal does not
# show the hooks. The common form "self.decoder = CBORDecoder(..., tag_hook=
# self.hook)" was collected with 5.8.0 and stays for ever with 6.3.0: a new leak
# that comes with an upgrade, in code that did not change.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with cbor2 5.8.0 and 6.3.0. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || {
    echo "needs CPython 3.11 to 3.14: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/expected" <<'EOF'
cbor2 5.8.0: tracked True, hook shown True, 0 of 100 alive after gc.collect()
cbor2 6.3.0: tracked True, hook shown False, 100 of 100 alive after gc.collect()
EOF
cat >"$work/loop.py" <<'EOF'
import gc
import importlib.metadata
import io
import weakref
import cbor2

class Reader:
    def __init__(self):
        self.decoder = cbor2.CBORDecoder(io.BytesIO(b"\x01"), tag_hook=self.hook)

    def hook(self, *args):
        return None

canaries = [weakref.ref(Reader()) for _ in range(100)]
gc.collect()
alive = sum(canary() is not None for canary in canaries)
reader = Reader()
shown = any(getattr(item, "__self__", None) is reader for item in gc.get_referents(reader.decoder))
print(f"cbor2 {importlib.metadata.version('cbor2')}: tracked {gc.is_tracked(reader.decoder)},",
      f"hook shown {shown}, {alive} of 100 alive after gc.collect()")
EOF

for version in 5.8.0 6.3.0; do
    "$python" -m venv --without-pip "$work/$version"
    python3 -m pip --python "$work/$version/bin/python" install --quiet \
        --disable-pip-version-check "cbor2==$version" || exit 2
    "$work/$version/bin/python" "$work/loop.py" >>"$work/seen"
done

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
