import fire


class C:
    def add(self, a, b):
        return a + b


def once():
    return fire.Fire(C, ["add", "1", "2"]) if False else fire.Fire(lambda a, b: a + b, ["1", "2"])
