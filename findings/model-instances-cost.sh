#!/usr/bin/env bash
# A pydantic model of two ints takes about ten times the memory of a slotted dataclass.
#
# Each pydantic instance has a dict of its own with a private table of keys (184
# bytes, for any number of fields up to five) and a set of the names that were
# given (216 bytes, never empty here), though most programs never ask for either.
# pydantic's dataclasses lose CPython's inline values: five times. An SQLAlchemy
# instance comes with its InstanceState and that one's dicts: 15 to 20 times.
# sys.getsizeof() says 80 bytes or less for each of them.
#
# Seen on CPython 3.11.7, 3.12.1, 3.13.0 and 3.14.10 (Linux, 64 bits)
# with pydantic 2.14.4 and SQLAlchemy 2.1.9. Output: see "expected" below.
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
    pydantic==2.14.4 SQLAlchemy==2.1.9 || exit 2

cat >"$work/expected" <<'EOF'
Slotted: 48 bytes
PydanticDataclass: at least 4 times as much: True, getsizeof at most 80: True
PydanticModel: at least 9 times as much: True, getsizeof at most 80: True
SqlAlchemy: at least 15 times as much: True, getsizeof at most 80: True
dict and set of a model: 184 216
EOF

"$work/venv/bin/python" - >"$work/seen" <<'EOF'
import dataclasses
import gc
import sys
import tracemalloc
import pydantic
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

@dataclasses.dataclass(slots=True)
class Slotted:
    x: int
    y: int

@pydantic.dataclasses.dataclass
class PydanticDataclass:
    x: int
    y: int

class PydanticModel(pydantic.BaseModel):
    x: int
    y: int

class Base(DeclarativeBase):
    pass

class SqlAlchemy(Base):
    __tablename__ = "t"
    x: Mapped[int] = mapped_column(primary_key=True)
    y: Mapped[int]

def cost(cls, count=2000):
    keep = [cls(x=1, y=2) for _ in range(count)]   # the class finds its final layout
    keep = [None] * count
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for index in range(count):
        keep[index] = cls(x=1, y=2)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / count

base = cost(Slotted)
print(f"Slotted: {base:.0f} bytes")
for cls, least in (PydanticDataclass, 4), (PydanticModel, 9), (SqlAlchemy, 15):
    print(f"{cls.__name__}: at least {least} times as much: {cost(cls) >= least * base},",
          f"getsizeof at most 80: {sys.getsizeof(cls(x=1, y=2)) <= 80}")
model = PydanticModel(x=1, y=2)
print("dict and set of a model:", sys.getsizeof(model.__dict__), sys.getsizeof(model.model_fields_set))
EOF

cat "$work/seen"
diff "$work/expected" "$work/seen" >&2 || {
    echo "the behaviour has changed" >&2
    exit 1
}
