"""Three classes in a ring, one of them frozen with `__setattr__`."""


class A:
    pass


class B:
    __slots__ = ("next", "__dict__")


class C:
    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


def scenario():
    for _ in range(10):
        a, b, c = A(), B(), C()
        a.next, b.next, c.next = b, c, a
        b.note = "text" * 10
