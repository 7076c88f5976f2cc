from traitlets.config import Application, Configurable
from traitlets import Int, Instance


class Part(Configurable):
    n = Int(1).tag(config=True)


class App(Application):
    classes = [Part]
    part = Instance(Part)

    def start(self):
        self.part = Part(parent=self)
        return self.part.n


def once():
    a = App()
    a.initialize(["--Part.n=5"])
    return a.start(), a.part.parent is a
