"""Functions of executed code with a namespace of their own."""


def scenario():
    space = {}
    exec("def f(): return g\ndef g(): return f\nx = [y for y in range(3)]", space)
    lambdas = [lambda: lambdas for _ in range(3)]
