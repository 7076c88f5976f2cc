"""Makes N loops of two objects that nothing refers to, and leaves them: `loops.py N [refcycle]`.

With `refcycle` it then asks that package for them, and for their strongly connected components; else it just ends, and
the recorder writes its last checkpoint.
"""

import gc
import sys


class Parent:
    pass


class Child:
    pass


def leak():
    parent = Parent()
    parent.child = Child()
    parent.child.parent = parent


with_refcycle = sys.argv[2:] == ["refcycle"]
if with_refcycle:
    import refcycle
gc.collect()
gc.disable()
for _ in range(int(sys.argv[1])):
    leak()
if with_refcycle:
    graph = refcycle.garbage()
    print(sum(len(component) > 1 for component in graph.strongly_connected_components()))
