import punq


class Db:
    pass


class S:
    def __init__(self, db: Db):
        self.db = db


def once():
    c = punq.Container()
    c.register(Db, scope=punq.Scope.singleton)
    c.register(S)
    return c.resolve(S).db is c.resolve(Db)
