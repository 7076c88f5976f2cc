#!/usr/bin/env bash
# A dataclass with slots=True and super() leaves its first class alive for ever.
#
# slots=True builds a second class. Up to CPython 3.13 a method that uses super()
# or __class__ still refers to the first one, so both stay: each definition costs
# two classes, and the base's __subclasses__() lists a ghost of the same name,
# which registries built on it use by mistake. super() then fails with TypeError.
# attrs mends the methods and leaves no ghost. CPython 3.14 mends dataclasses too.
#
# Seen on CPython 3.11.7, 3.12.1 and 3.13.0 with attrs 26.1.0. Output: see "expected" below.
set -euo pipefail
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
    echo "needs CPython 3.11 to 3.13: set PYTHON to one" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv --without-pip "$work/venv"
python3 -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check \
    attrs==26.1.0 || exit 2

cat >"$work/expected" <<'EOF'
Plain: 1 class(es) alive, greet(): hello
Child: 2 class(es) alive, greet(): TypeError
Attrs: 1 class(es) alive, greet(): hello
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import dataclasses
import gc
import attrs

class Base:
    def greet(self):
        return "hello"

@dataclasses.dataclass(slots=True)
class Plain(Base):
    x: int

@dataclasses.dataclass(slots=True)
class Child(Base):
    x: int

    def greet(self):
        return super().greet()

@attrs.define
class Attrs(Base):
    x: int

    def greet(self):
        return super().greet()

gc.collect()
names = [cls.__name__ for cls in Base.__subclasses__()]
for cls in Plain, Child, Attrs:
    try:
        answer = cls(1).greet()
    except TypeError:
        answer = "TypeError"
    print(f"{cls.__name__}: {names.count(cls.__name__)} class(es) alive, greet(): {answer}")
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
