"""Instances with 40 attributes, deleted ones, and dicts that were looked at."""


class Wide:
    pass


def scenario():
    for _ in range(35):
        wide = Wide()
        for index in range(40):
            setattr(wide, "a%d" % index, wide if index % 7 == 0 else index)
        del wide.a3
    looked = Wide()
    vars(looked)["x"] = looked
    looked.y = [looked]
    changed = Wide()
    changed.me = changed
    changed.__dict__ = {"me": changed, 3: 4}
