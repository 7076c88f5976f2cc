/* Types that hold a Python reference in several ways. One build serves CPython 3.8 to 3.15. */

#define Py_LIMITED_API 0x03080000
#include <Python.h>
#include <stdlib.h>

typedef struct {
    PyObject *callback;
} Inner;

typedef struct {
    PyObject_HEAD
    PyObject *direct;    /* owned */
    Inner *inner;        /* owned, in memory of malloc */
    PyObject *borrowed;  /* not owned */
} Holder;

static PyObject *lost[64]; /* references that no object has */
static int n_lost;
static int is_since_3_9;

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
    case 'i': /* inner */
        self->inner = malloc(sizeof(Inner));
        Py_INCREF(object);
        self->inner->callback = object;
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
        Py_VISIT(self->inner->callback);
    if (is_since_3_9)
        Py_VISIT(Py_TYPE(self));
    return 0;
}

static int clear(Holder *self)
{
    Py_CLEAR(self->direct);
    if (self->inner)
        Py_CLEAR(self->inner->callback);
    return 0;
}

static void dealloc(Holder *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyType_IS_GC(type))
        PyObject_GC_UnTrack(self);
    clear(self);
    free(self->inner);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot hiding_slots[] = {{Py_tp_init, init}, {Py_tp_dealloc, dealloc}, {0, NULL}};
static PyType_Spec hiding = {"extension.Hiding", sizeof(Holder), 0, Py_TPFLAGS_DEFAULT, hiding_slots};

static PyType_Slot mended_slots[] = {
    {Py_tp_init, init}, {Py_tp_dealloc, dealloc}, {Py_tp_traverse, traverse}, {Py_tp_clear, clear}, {0, NULL}};
static PyType_Spec mended = {
    "extension.Mended", sizeof(Holder), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, mended_slots};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "extension", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_extension(void)
{
    const char *version = Py_GetVersion();
    PyObject *module = PyModule_Create(&definition);
    is_since_3_9 = version[2] != '8';
    PyModule_AddObject(module, "Hiding", PyType_FromSpec(&hiding));
    PyModule_AddObject(module, "Mended", PyType_FromSpec(&mended));
    return module;
}
