import pint


def once():
    u = pint.UnitRegistry()
    q = 3 * u.meter / u.second
    return str(q.to("km/hour").units), str((q * u.hour).to_base_units().units)
