"""A class made at run time: it holds itself through its `__mro__` and its descriptors."""


def scenario():
    class Local:
        limit = 3

        def method(self):
            return super().__init__()

        @property
        def value(self):
            return self.limit

        @staticmethod
        def static():
            pass

        @classmethod
        def make(cls):
            return cls()

    Local.instance = Local()
