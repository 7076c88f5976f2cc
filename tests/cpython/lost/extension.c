/* Functions that keep the reference of their argument in several ways, and some that lose it. One build serves CPython 3.8 to 3.15. */

#define Py_LIMITED_API 0x03080000
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A table that grows, with an entry of so many bytes for each object. */
static char *table;
static size_t used;

static PyObject *enter(uintptr_t word, size_t before, size_t bytes)
{
    char *larger = realloc(table, used + bytes);
    if (!larger)
        return PyErr_NoMemory();
    table = larger;
    memset(table + used, 0, bytes);
    memcpy(table + used + before, &word, sizeof word);
    used += bytes;
    Py_RETURN_NONE;
}

/* Faults. */

static PyObject *forget(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    Py_RETURN_NONE;
}

static PyObject *forget_item(PyObject *module, PyObject *object)
{
    PyObject *item = PyObject_GetAttrString(object, "item"); /* a new reference, and no Py_DECREF */
    return item ? PyBool_FromLong(item != Py_None) : NULL;
}

/* The same, mended. */

static PyObject *give_back(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    Py_DECREF(object);
    Py_RETURN_NONE;
}

static PyObject *give_item_back(PyObject *module, PyObject *object)
{
    PyObject *item = PyObject_GetAttrString(object, "item");
    if (!item)
        return NULL;
    Py_DECREF(item);
    return PyBool_FromLong(item != Py_None);
}

/* Owners that nobody but the memory knows. */

static PyObject *own(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    return enter((uintptr_t)object, 0, sizeof object);
}

static PyObject *own_tagged(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    return enter((uintptr_t)object | 3 | (uintptr_t)0xfff8 << 48, 0, sizeof object);
}

static PyObject *own_packed(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    return enter((uintptr_t)object, 3, 13);
}

static PyObject *own_inner(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    return enter((uintptr_t)object + 8, 0, sizeof object);
}

/* References that it does not have. */

static PyObject *take(PyObject *module, PyObject *object)
{
    Py_DECREF(object);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"forget", forget, METH_O, NULL},
    {"forget_item", forget_item, METH_O, NULL},
    {"give_back", give_back, METH_O, NULL},
    {"give_item_back", give_item_back, METH_O, NULL},
    {"own", own, METH_O, NULL},
    {"own_tagged", own_tagged, METH_O, NULL},
    {"own_packed", own_packed, METH_O, NULL},
    {"own_inner", own_inner, METH_O, NULL},
    {"take", take, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "extension", NULL, -1, functions};

PyMODINIT_FUNC PyInit_extension(void)
{
    return PyModule_Create(&definition);
}
