"""A big live structure full of loops: nothing is garbage but what hangs off it by a weak reference."""

import weakref


class Vertex:
    def __init__(self):
        self.edges = []


def scenario():
    vertices = [Vertex() for _ in range(2000)]
    for index, vertex in enumerate(vertices):
        vertex.edges += vertices[index - 5 : index + 5]
        vertex.all = vertices
    lost = Vertex()
    lost.edges.append(lost)
    vertices[0].lost = weakref.ref(lost)
    return vertices
