#include <pybind11/pybind11.h>

#include <vector>

namespace py = pybind11;

static py::object item_of(const py::object &thing, bool steal)
{
    PyObject *item = PyObject_GetAttrString(thing.ptr(), "item"); /* a new reference */
    return steal ? py::reinterpret_steal<py::object>(item) : py::reinterpret_borrow<py::object>(item);
}

PYBIND11_MODULE(extension, module)
{
    static auto *owned = new std::vector<py::object>;
    module.def("forget", [](py::object thing) { thing.release(); });
    module.def("give_back", [](py::object thing) { py::object other = thing; });
    module.def("forget_item", [](py::object thing) { return !item_of(thing, false).is_none(); });
    module.def("give_item_back", [](py::object thing) { return !item_of(thing, true).is_none(); });
    module.def("own", [](py::object thing) { owned->push_back(thing); });
}
