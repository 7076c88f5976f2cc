from injector import Injector, inject, Module, provider, singleton


class Db:
    pass


class Service:
    @inject
    def __init__(self, db: Db, injector: Injector):
        self.db, self.injector = db, injector


class M(Module):
    @singleton
    @provider
    def db(self) -> Db:
        return Db()


def once():
    i = Injector([M()])
    s = i.get(Service)
    return s.db is i.get(Db), s.injector.get(Db) is s.db, i.create_child_injector([]).get(Db) is s.db
