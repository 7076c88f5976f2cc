#include <nanobind/nanobind.h>

#include <vector>

namespace nb = nanobind;

static nb::object item_of(const nb::object &thing, bool steal)
{
    PyObject *item = PyObject_GetAttrString(thing.ptr(), "item"); /* a new reference */
    return steal ? nb::steal<nb::object>(item) : nb::borrow<nb::object>(item);
}

NB_MODULE(extension, module)
{
    static auto *owned = new std::vector<nb::object>;
    module.def("forget", [](nb::object thing) { thing.release(); });
    module.def("give_back", [](nb::object thing) { nb::object other = thing; });
    module.def("forget_item", [](nb::object thing) { return !item_of(thing, false).is_none(); });
    module.def("give_item_back", [](nb::object thing) { return !item_of(thing, true).is_none(); });
    module.def("own", [](nb::object thing) { owned->push_back(thing); });
}
