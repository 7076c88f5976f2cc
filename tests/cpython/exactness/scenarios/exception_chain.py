"""Exceptions with cause and context that hold each other."""


class Failure(Exception):
    def __init__(self, message, owner):
        super().__init__(message, owner)
        self.owner = owner


def scenario():
    owner = {}
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise Failure("outer", owner) from error
    except Failure as error:
        owner["error"] = error
        error.__context__ = error.__cause__
