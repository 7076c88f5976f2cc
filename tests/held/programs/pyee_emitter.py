from pyee import EventEmitter


class B:
    def __init__(self):
        self.e = EventEmitter()
        self.n = 0
        self.e.on("x", self.go)

    def go(self, k):
        self.n += k


def once():
    b = B()
    b.e.emit("x", 3)
    b.e.once("y", lambda: b.go(1))
    b.e.emit("y")
    return b.n, len(b.e.listeners("x"))
