"""Makes twenty pairs of objects that refer to each other, uses and drops them.

``pairs.py FAMILY PARENT CHILD`` does it with classes of these names; each ``CLASS.ATTRIBUTE`` behind them is held weakly,
and then the last line says how many objects only the collector could free.
"""

import gc
import sys
import weakref

#: What each family is, and the class by which it is used. ``{P}`` and ``{C}`` are the names of the classes, ``{p}`` and
#: ``{c}`` those of their attributes.
FAMILIES = {
    # The parent makes the child in its __init__.
    "made": """
class {P}:
    def __init__(self):
        self.{c} = {C}(self)
    def name(self):
        return "{p}"
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return self.{p}.name()
def use():
    {p} = {P}()
    return {p}.{c}.show()
""",
    # The same, in a class that others inherit from.
    "inherited": """
class Base:
    def __init__(self, size):
        self.{c} = {C}(self, size)
class {P}(Base):
    def __init__(self):
        super().__init__(3)
class {C}:
    def __init__(self, {p}, size):
        self.{p}, self.size = {p}, size
    def show(self):
        return type(self.{p}).__name__, self.size
def use():
    {p} = {P}()
    return {p}.{c}.show()
""",
    # The same, with generated __init__s.
    "dataclass": """
from dataclasses import dataclass, field
@dataclass(eq=False)
class {C}:
    {p}: object
    def show(self):
        return type(self.{p}).__name__
@dataclass(eq=False)
class {P}:
    size: int = 1
    def __post_init__(self):
        self.{c} = {C}(self)
def use():
    {p} = {P}()
    return {p}.{c}.show()
""",
    # The same, with slots.
    "slotted": """
class {P}:
    __slots__ = ("{c}", "__weakref__")
    def __init__(self):
        self.{c} = {C}(self)
class {C}:
    __slots__ = ("{p}", "__weakref__")
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return type(self.{p}).__name__
def use():
    {p} = {P}()
    return {p}.{c}.show()
""",
    # Three children of three classes, one base class has the reference back.
    "helpers": """
class Base:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return type(self.{p}).__name__
class {C}(Base): pass
class Second(Base): pass
class Third(Base): pass
class {P}:
    def __init__(self):
        self.{c}, self.second, self.third = {C}(self), Second(self), Third(self)
def use():
    {p} = {P}()
    return {p}.{c}.show(), {p}.second.show(), {p}.third.show()
""",
    # Three children of three classes, each has a reference back of its own.
    "alike": """
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return type(self.{p}).__name__
class Second:
    def __init__(self, {p}):
        self.{p} = {p}
    show = {C}.show
class Third:
    def __init__(self, {p}):
        self.{p} = {p}
    show = {C}.show
class {P}:
    def __init__(self):
        self.{c}, self.second, self.third = {C}(self), Second(self), Third(self)
def use():
    {p} = {P}()
    return {p}.{c}.show(), {p}.second.show(), {p}.third.show()
""",
    # A list of children.
    "many": """
class {P}:
    def __init__(self):
        self.all = []
    def add(self):
        self.all.append({C}(self))
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return len(self.{p}.all)
def use():
    {p} = {P}()
    {p}.add()
    {p}.add()
    return [{c}.show() for {c} in {p}.all]
""",
    # A dict of children, made outside.
    "keyed": """
class {P}:
    def __init__(self):
        self.by_name = dict()
class {C}:
    def __init__(self, {p}, name):
        self.{p} = {p}
        {p}.by_name[name] = self
    def show(self):
        return sorted(self.{p}.by_name)
def use():
    {p} = {P}()
    {C}({p}, "a")
    {C}({p}, "b")
    return {p}.by_name["a"].show()
""",
    # A queue of children.
    "queued": """
from collections import deque
class {P}:
    def __init__(self):
        self.queue = deque()
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
        {p}.queue.append(self)
    def show(self):
        return len(self.{p}.queue)
def use():
    {p} = {P}()
    {C}({p})
    return {p}.queue[0].show()
""",
    # Both are made outside, and used by the parent.
    "given": """
class {P}:
    {c} = None
    def name(self):
        return "{p}"
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return self.{p}.name()
def use():
    {p} = {P}()
    {p}.{c} = {C}({p})
    return {p}.{c}.show()
""",
    # Both are made outside, and used by the child alone: the child owns what the reference back leads to.
    "wrapped": """
class {P}:
    {c} = None
    def name(self):
        return "{p}"
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
        {p}.{c} = self
    def show(self):
        return self.{p}.name()
def make():
    return {C}({P}())
def use():
    return make().show()
""",
    # The same with a list of children: that the child is one of them does not tell who keeps the parent.
    "leaf": """
class {P}:
    def __init__(self):
        self.all = []
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
        {p}.all.append(self)
    def show(self):
        return len(self.{p}.all)
def make():
    return {C}(
        {P}()
    )
def use():
    return make().show()
""",
    # The parent is asked for a child as it is made, and the child is used alone.
    "first": """
class {P}:
    def __init__(self):
        self.all = []
    def first(self):
        self.all.append({C}(self))
        return self.all[0]
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def show(self):
        return len(self.{p}.all)
def make():
    return {P}().first()
def use():
    return make().show()
""",
    # The child uses its parent as it dies.
    "finalized": """
class {P}:
    def __init__(self):
        self.{c} = {C}(self)
    def name(self):
        return "{p}"
class {C}:
    def __init__(self, {p}):
        self.{p} = {p}
    def __del__(self):
        self.{p}.name()
    def show(self):
        return self.{p}.name()
def use():
    {p} = {P}()
    return {p}.{c}.show()
""",
}


class Weak:
    """An attribute that is held weakly, in the place of a plain one or of a slot."""

    def __init__(self, name, slot):
        self.name, self.slot = name, slot

    def __get__(self, holder, owner=None):
        if holder is None:
            return self
        value = self.slot.__get__(holder) if self.slot else holder.__dict__[self.name]
        return value() if isinstance(value, weakref.ref) else value

    def __set__(self, holder, value):
        value = value if value is None else weakref.ref(value)
        if self.slot:
            self.slot.__set__(holder, value)
        else:
            holder.__dict__[self.name] = value


def main(family, parent, child, *references):
    names = {"P": parent, "C": child, "p": parent.lower(), "c": child.lower()}
    source = FAMILIES[family]
    for name, value in names.items():
        source = source.replace("{" + name + "}", value)
    classes = {"__name__": "pairs"}
    exec(compile(source, __file__, "exec"), classes)
    for reference in references:
        name, attribute = reference.split(".")
        slot = vars(classes[name]).get(attribute)
        setattr(classes[name], attribute, Weak(attribute, slot))
    gc.collect()
    gc.disable()
    for _ in range(20):
        sys.stdout.write(f"{classes['use']()}\n")
    if references:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = sum(type(garbage).__module__ == "pairs" for garbage in gc.garbage)
        sys.stdout.write(f"left {left}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
