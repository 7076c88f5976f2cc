/* Types that hold a Python reference in several ways. One build serves CPython 3.8 to 3.15. */

#define Py_LIMITED_API 0x03080000
#include <Python.h>
#include <stddef.h>
#include <stdlib.h>
#include <structmember.h>

/* Memory of malloc, the last of which has the object. */
typedef struct Inner {
    struct Inner *next;
    size_t place;
    PyObject *objects[];
} Inner;

typedef struct {
    PyObject_HEAD
    PyObject *direct;    /* owned */
    Inner *inner;        /* owned, with what is in it */
    PyObject *borrowed;  /* not owned */
} Holder;

static PyObject *lost[64]; /* references that no object has */
static int n_lost;
static int is_since_3_9;

/* So many blocks behind each other, with the object at this place of the last. */
static Inner *chain(int blocks, size_t place, PyObject *object)
{
    Inner *inner = calloc(1, sizeof(Inner) + (place + 1) * sizeof(PyObject *));
    if (blocks > 1) {
        inner->next = chain(blocks - 1, place, object);
        return inner;
    }
    Py_INCREF(object);
    inner->place = place;
    inner->objects[place] = object;
    return inner;
}

static PyObject **end_of(Inner *inner)
{
    while (inner->next)
        inner = inner->next;
    return &inner->objects[inner->place];
}

static int init(Holder *self, PyObject *arguments, PyObject *keywords)
{
    PyObject *object;
    const char *how;
    if (!PyArg_ParseTuple(arguments, "Os", &object, &how))
        return -1;
    switch (how[0]) {
    case 'd': /* direct */
        Py_INCREF(object);
        self->direct = object;
        break;
    case 't': /* twice */
        Py_INCREF(object);
        self->direct = object;
        self->inner = chain(1, 0, object);
        break;
    case 'i': /* inner */
        self->inner = chain(1, 0, object);
        break;
    case 'f': /* far */
        self->inner = chain(7, 0, object);
        break;
    case 'l': /* large */
        self->inner = chain(1, 18000, object);
        break;
    case 'b': /* borrowed, while C code elsewhere owns the object */
        Py_INCREF(object);
        lost[n_lost++ % 64] = object;
        self->borrowed = object;
        break;
    }
    return 0;
}

static int traverse(Holder *self, visitproc visit, void *arg)
{
    Py_VISIT(self->direct);
    if (self->inner)
        Py_VISIT(*end_of(self->inner));
    if (is_since_3_9)
        Py_VISIT(Py_TYPE(self));
    return 0;
}

static int clear(Holder *self)
{
    Py_CLEAR(self->direct);
    if (self->inner)
        Py_CLEAR(*end_of(self->inner));
    return 0;
}

static void dealloc(Holder *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyType_IS_GC(type))
        PyObject_GC_UnTrack(self);
    clear(self);
    for (Inner *inner = self->inner, *next; inner; inner = next) {
        next = inner->next;
        free(inner);
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot hiding_slots[] = {{Py_tp_init, init}, {Py_tp_dealloc, dealloc}, {0, NULL}};
static PyType_Spec hiding = {"extension.Hiding", sizeof(Holder), 0, Py_TPFLAGS_DEFAULT, hiding_slots};

static PyType_Slot mended_slots[] = {
    {Py_tp_init, init}, {Py_tp_dealloc, dealloc}, {Py_tp_traverse, traverse}, {Py_tp_clear, clear}, {0, NULL}};
static PyType_Spec mended = {
    "extension.Mended", sizeof(Holder), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, mended_slots};

/* Has a dict of attributes, and does not show it. From 3.9 on a type can say where it is. */
typedef struct {
    PyObject_HEAD
    PyObject *attributes;
} Open;

static void open_dealloc(Open *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(self->attributes);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMemberDef open_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Open, attributes), READONLY, NULL}, {NULL}};
static PyType_Slot open_slots[] = {{Py_tp_dealloc, open_dealloc}, {Py_tp_members, open_members}, {0, NULL}};
static PyType_Spec open_type = {"extension.Open", sizeof(Open), 0, Py_TPFLAGS_DEFAULT, open_slots};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "extension", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_extension(void)
{
    const char *version = Py_GetVersion();
    PyObject *module = PyModule_Create(&definition);
    is_since_3_9 = version[2] != '8';
    PyModule_AddObject(module, "Hiding", PyType_FromSpec(&hiding));
    if (is_since_3_9)
        PyModule_AddObject(module, "Open", PyType_FromSpec(&open_type));
    PyModule_AddObject(module, "Mended", PyType_FromSpec(&mended));
    return module;
}
