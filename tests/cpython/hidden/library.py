"""Loops through types of the standard library that hide what they were given: 10 of each are dropped, or all are kept."""

import sqlite3
import sys
from xml.parsers import expat


class Node:
    pass


def connection():
    node = Node()
    node.connection = sqlite3.connect(":memory:")
    node.connection.create_function("f", 0, lambda: node)
    return node


def parser():
    node = Node()
    node.parser = expat.ParserCreate(intern={"node": node})
    return node


def main(keep):
    kept = []
    for make in (connection, parser):
        for _ in range(10):
            made = make()
            if keep:
                kept.append(made)
    return kept


KEPT = main(sys.argv[1:] == ["keep"])
