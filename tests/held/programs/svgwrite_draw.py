import svgwrite


def once():
    d = svgwrite.Drawing("a.svg")
    g = d.add(d.g(id="x"))
    g.add(d.line((0, 0), (1, 1), stroke="red"))
    d.defs.add(d.circle((1, 1), 2))
    return d.tostring()
