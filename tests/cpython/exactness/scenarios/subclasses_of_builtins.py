"""Subclasses of list, dict, tuple, str, int and float with attributes that point back."""


class L(list):
    pass


class D(dict):
    pass


class T(tuple):
    pass


class S(str):
    pass


class I(int):
    pass


class F(float):
    pass


class B(bytes):
    pass


def scenario():
    made = [L("ab"), D(a=1), T((1, 2)), S("text"), I(2**70), F(1.5), B(b"bytes")]
    for one in made:
        one.me = one
        one.all = made
    made[0].append(made)
