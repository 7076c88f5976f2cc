import pint


def quantity():
    return pint.UnitRegistry().Quantity(3, "meter")


def once():
    q = quantity()
    return q.to("cm").magnitude, str((q * q).units), str(q.to_compact().units)
