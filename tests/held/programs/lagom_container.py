from lagom import Container, Singleton


class Db:
    pass


class S:
    def __init__(self, db: Db):
        self.db = db


def once():
    c = Container()
    c[Db] = Singleton(Db)
    return c[S].db is c[Db], type(c.clone()[S]).__name__
