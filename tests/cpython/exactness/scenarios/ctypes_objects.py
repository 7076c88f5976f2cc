"""Structures, pointers and callbacks of ctypes."""

import ctypes


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("next", ctypes.py_object)]


def scenario():
    point = Point(1)
    point.me = point
    callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)
    callback.me = callback
