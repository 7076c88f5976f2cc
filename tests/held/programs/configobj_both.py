import configobj


def once():
    c = configobj.ConfigObj(["a = 1", "[s]", "b = 2", "[[t]]", "c = 3"])
    c["s"]["d"] = "4"
    t = c["s"]["t"]
    return c.write(), t.parent.name, t.main is c, t.depth
