"""Has a connection that holds a function in C and leads to so much memory that it is not searched to the end."""

import sqlite3
import sys


class Node:
    pass


def connect(rows):
    node = Node()
    node.connection = sqlite3.connect(":memory:")
    node.connection.create_function("same", 1, lambda value, node=node: value)
    node.connection.execute("create table lines (text)")
    node.connection.executemany("insert into lines values (?)", (("x" * 500,) for _ in range(rows)))


connect(int(sys.argv[1]))
