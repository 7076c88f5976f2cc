"""Runs a program with references changed as a report says: changed.py FOLDER PROGRAM TIMES CHANGES

The program is a module with a function ``once()``. Each line is what one call gives; the last says how many objects of which
types only the collector could free, how often a weak reference was asked for an object that was dead, and how many were made.

CHANGES is a list, as JSON, of ``["attribute", CLASS, NAME]``, held weakly (a bound method by ``WeakMethod``), of
``["itself", CLASS, NAME]``, not held where it is the object that has it, and of ``["local", FILE, FUNCTION, NAME]``, deleted as
the function ends.
"""

import ast
import collections
import gc
import importlib
import importlib.machinery
import json
import sys
import types
import weakref


#: Of an attribute that the class itself has nothing of.
NOTHING = object()


class Weak:
    """An attribute that is held weakly, in the place of a plain one or of a slot."""

    missed = made = 0

    def __init__(self, name, before):
        self.name, self.before = name, before if hasattr(before, "__set__") else None
        self.plain = before

    def __get__(self, holder, owner=None):
        if holder is None:
            return self.of_class(owner)
        if self.before:
            value = self.before.__get__(holder, owner)
        elif self.name in holder.__dict__:
            value = holder.__dict__[self.name]
        else:
            return self.default(holder, owner)
        if not isinstance(value, (weakref.ref, weakref.WeakMethod)):
            return value
        there = value()
        Weak.missed += there is None
        return there

    def of_class(self, owner):
        """What the class has of this name, or a base class."""
        if self.plain is not NOTHING:
            return self.plain
        for base in owner.__mro__:
            found = vars(base).get(self.name, self)
            if not isinstance(found, Weak):
                return found
        raise AttributeError(self.name)

    def default(self, holder, owner):
        """What the class has of this name for the object, or what ``__getattr__`` makes of it."""
        found = self.of_class(owner)
        return found.__get__(holder, owner) if hasattr(found, "__get__") else found

    def __set__(self, holder, value):
        try:
            value = weakref.WeakMethod(value) if isinstance(value, types.MethodType) else weakref.ref(value)
            Weak.made += 1
        except TypeError:
            pass
        if self.before:
            self.before.__set__(holder, value)
        else:
            holder.__dict__[self.name] = value

    def __delete__(self, holder):
        if self.before:
            self.before.__delete__(holder)
        elif self.name in holder.__dict__:
            del holder.__dict__[self.name]
        else:
            raise AttributeError(self.name)


def class_of(name):
    """The class of a full name, of a module that is imported."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        found = sys.modules.get(".".join(parts[:end]))
        for part in parts[end:] if found else ():
            found = getattr(found, part, None)
        if isinstance(found, type):
            return found
    sys.exit(f"no such class: {name}")


class NotItself(Weak):
    """An attribute that is not held where it is the object itself."""

    def __get__(self, holder, owner=None):
        value = super().__get__(holder, owner)
        return holder if value is NotItself else value

    def __set__(self, holder, value):
        value = NotItself if value is holder else value
        Weak.made += value is NotItself
        if self.before:
            self.before.__set__(holder, value)
        else:
            holder.__dict__[self.name] = value


def change(how, class_name, name):
    held = class_of(class_name)
    setattr(held, name, how(name, held.__dict__.get(name, NOTHING)))


class Deleting(ast.NodeTransformer):
    """Deletes a variable of a function as it ends."""

    def __init__(self, function, variable):
        self.function, self.variable = function, variable

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if node.name == self.function:
            gone = ast.parse(f"{self.variable} = None").body
            node.body = [ast.Try(body=node.body, handlers=[], orelse=[], finalbody=gone)]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef


def delete(changes):
    """Compiles the files of these changes anew, as they are imported."""
    loader = importlib.machinery.SourceFileLoader
    as_it_was = loader.get_code

    def get_code(self, name):
        path = self.get_filename(name)
        here = [one for one in changes if path.endswith(one[1])]
        if not here:
            return as_it_was(self, name)
        tree = ast.parse(self.get_data(path))
        for _, _, function, variable in here:
            tree = Deleting(function, variable).visit(tree)
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    loader.get_code = get_code


def main(folder, name, times, changes="[]"):
    changes = json.loads(changes)
    sys.path.insert(0, folder)
    delete([one for one in changes if one[0] == "local"])
    program = importlib.import_module(name)
    # What is imported late is imported, and what is filled once filled.
    program.once()
    for kind, *what in changes:
        if kind != "local":
            change(Weak if kind == "attribute" else NotItself, *what)
    gc.collect()
    gc.disable()
    for _ in range(int(times)):
        print(repr(program.once()).replace("\n", " "), flush=True)
    gc.set_debug(gc.DEBUG_SAVEALL)
    left = gc.collect()
    types = collections.Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    print("left", left, "missed", Weak.missed, "made", Weak.made, json.dumps(types), flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
