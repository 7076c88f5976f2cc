"""Loops through types of CPython that hide a reference: 20 of each are dropped, or all are kept."""

import datetime
import sys


class Zone(datetime.tzinfo):
    def __init__(self):
        self.since = datetime.datetime(2020, 1, 1, tzinfo=self)


class Clock(datetime.tzinfo):
    def __init__(self):
        self.at = datetime.time(1, tzinfo=self)


class Plain(datetime.tzinfo):
    def __init__(self):
        self.since = datetime.datetime(2020, 1, 1)


class Script:
    def __init__(self):
        self.code = (lambda: 0).__code__.replace(co_consts=(self,))


def recursive():
    def function():
        return 0

    function.__code__ = function.__code__.replace(co_consts=(None, function))
    return function


def main(keep):
    kept = []
    for make in (Zone, Clock, Plain, Script, recursive):
        for _ in range(20):
            made = make()
            if keep:
                kept.append(made)
    return kept


KEPT = main(sys.argv[1:] == ["keep"])
