from injector import Injector, inject


class Db:
    pass


class Service:
    @inject
    def __init__(self, injector: Injector):
        self.injector = injector

    def db(self):
        return self.injector.get(Db)


def service():
    return Injector().get(Service)


def once():
    s = service()
    return type(s.db()).__name__
