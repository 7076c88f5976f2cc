"""An observer registered with its subject, by method and by lambda."""


class Subject:
    def __init__(self):
        self.observers = []
        self.handlers = {}


class Observer:
    def __init__(self, subject):
        self.subject = subject
        subject.observers.append(self.update)
        subject.handlers["update"] = lambda event: (self, event)

    def update(self, event):
        return event


def scenario():
    Observer(Subject())
