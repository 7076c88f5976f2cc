import peewee

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
Pet.create(owner=Person.create(name="a"), name="c")


def once():
    pets = peewee.prefetch(Person.select(), Pet)
    with db.atomic() as t:
        n = Pet.select().join(Person).where(Person.name == "a").count()
        t.rollback()
    return [(p.name, [(x.name, x.owner.name) for x in p.pets]) for p in pets], n
