import factory


class User:
    def __init__(self, name, boss=None):
        self.name, self.boss = name, boss


class UserFactory(factory.Factory):
    class Meta:
        model = User

    name = factory.Sequence(lambda n: "u")
    boss = None


class Team(factory.Factory):
    class Meta:
        model = dict

    lead = factory.SubFactory(UserFactory, name=factory.SelfAttribute("..title"))
    title = "t"


def once():
    return Team()["lead"].name, UserFactory(boss=UserFactory()).boss.name, len(UserFactory.build_batch(3))
