from sqlobject import SQLObject, StringCol, ForeignKey, MultipleJoin, connectionForURI

c = connectionForURI("sqlite:/:memory:")


class Person(SQLObject):
    _connection = c
    name = StringCol()
    pets = MultipleJoin("Pet")


class Pet(SQLObject):
    _connection = c
    name = StringCol()
    person = ForeignKey("Person")


Person.createTable()
Pet.createTable()
Pet(name="c", person=Person(name="a"))


def once():
    t = c.transaction()
    p = Person.selectBy(connection=t, name="a")[0]
    r = [(x.name, x.person.name) for x in p.pets]
    t.rollback()
    return r
