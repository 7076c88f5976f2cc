import sympy.plotting, sympy
from sympy.combinatorics import SymmetricGroup
from sympy.diffgeom import Manifold, Patch, CoordSystem


def once():
    g = SymmetricGroup(3)
    r = sympy.ring("x,y", sympy.ZZ)[0]
    return g.order(), len(list(g.elements)), str(r.gens[0] ** 2), str(sympy.QQ.algebraic_field(sympy.sqrt(2)))
