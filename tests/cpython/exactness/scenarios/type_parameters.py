"""Functions and classes with type parameters (3.12)."""

SOURCE = """
class Box[T]:
    def get(self) -> T: ...

def first[T](items: list[T]) -> T:
    return items[0]

type Alias[T] = list[T]
first.alias = Alias
first.me = first
"""
SINCE = (3, 12)


def scenario():
    exec(SOURCE, {})
