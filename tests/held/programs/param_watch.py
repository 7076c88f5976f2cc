import param


class P(param.Parameterized):
    x = param.Number(1)
    y = param.Number(2)

    @param.depends("x", watch=True)
    def _x(self):
        self.y = self.x * 2


def once():
    p = P()
    seen = []
    w = p.param.watch(lambda e: seen.append((e.name, e.new)), "y")
    p.x = 3
    p.param.unwatch(w)
    p.x = 4
    return p.y, seen
