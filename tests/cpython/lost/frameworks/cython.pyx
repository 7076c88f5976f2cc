# cython: language_level=3
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject

cdef extern from "Python.h":
    PyObject *PyObject_GetAttrString(object, const char *) except NULL
    void Py_DecRef(PyObject *)


def forget(thing):
    Py_INCREF(thing)


def give_back(thing):
    Py_INCREF(thing)
    Py_DECREF(thing)


def forget_item(thing):
    cdef PyObject *item = PyObject_GetAttrString(thing, b"item")
    return <object>item is not None  # the cast takes a reference of its own


def give_item_back(thing):
    cdef PyObject *item = PyObject_GetAttrString(thing, b"item")
    found = <object>item is not None
    Py_DecRef(item)
    return found


cdef PyObject *owned[1000]
cdef int n_owned = 0


def own(thing):
    global n_owned
    Py_INCREF(thing)
    owned[n_owned] = <PyObject *>thing
    n_owned += 1


def last():
    return <object>owned[n_owned - 1]  # what is never read, a compiler does not keep
