from transitions.extensions import HierarchicalMachine


class Door(HierarchicalMachine):
    def __init__(self):
        super().__init__(
            states=["shut", {"name": "open", "children": ["wide", "ajar"], "initial": "ajar"}], initial="shut"
        )
        self.add_transition("go", "shut", "open")
        self.add_transition("close", "open", "shut", after=self.done)

    def done(self):
        self.closed = True


def once():
    d = Door()
    d.go()
    s = d.state
    d.close()
    return s, d.state, d.closed
