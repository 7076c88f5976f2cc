import peewee


def once():
    db = peewee.SqliteDatabase(":memory:")

    class Person(peewee.Model):
        name = peewee.CharField()

        class Meta:
            database = db

    class Pet(peewee.Model):
        owner = peewee.ForeignKeyField(Person, backref="pets")
        name = peewee.CharField()

        class Meta:
            database = db

    db.connect()
    db.create_tables([Person, Pet])
    p = Person.create(name="a")
    Pet.create(owner=p, name="c")
    r = [(x.name, x.owner.name) for x in p.pets]
    db.close()
    return r
