from traitlets import HasTraits, Int


class A(HasTraits):
    x = Int()

    def __init__(self):
        super().__init__()
        self.seen = []
        self.observe(self.saw, "x")
        self.observe(lambda c: self.seen.append(-c.new), "x")

    def saw(self, change):
        self.seen.append(change.new)


def once():
    a = A()
    a.x = 3
    return a.seen
