import configobj


def section():
    return configobj.ConfigObj(["a = 1", "[s]", "b = %(a)s"])["s"]


def once():
    s = section()
    return s["b"], s.parent["a"], s.as_int("b"), s.main.interpolation
