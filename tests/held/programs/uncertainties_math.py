from uncertainties import ufloat, umath


def once():
    x = ufloat(1, 0.1)
    y = umath.sin(x) + x * 2
    return str(y), round(y.derivatives[x], 4)
