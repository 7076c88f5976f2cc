"""Subclasses made at run time, with slots, a metaclass, and a class attribute that points back."""


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        cls.made = made
        return made


def scenario():
    class Base(metaclass=Meta):
        __slots__ = ("a", "b")

    class Child(Base):
        pass

    child = Child()
    child.a = child
    Base.children = [Child]
