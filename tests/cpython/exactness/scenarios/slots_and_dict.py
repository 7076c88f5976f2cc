"""Slots in a base, a dict in the subclass, and a slotted subclass of a plain one."""


class Slotted:
    __slots__ = ("link", "__weakref__")


class Plain(Slotted):
    pass


class Deeper(Plain):
    __slots__ = ("other",)


def scenario():
    plain, deeper = Plain(), Deeper()
    plain.link, plain.extra = deeper, [plain]
    deeper.link, deeper.other, deeper.more = plain, deeper, {"back": deeper}
