"""Garbage that points into live objects, which do not become garbage."""

LIVE = {"config": [1, 2, 3]}


class Client:
    def __init__(self):
        self.config = LIVE["config"]
        self.me = self


def scenario():
    for _ in range(4):
        Client()
