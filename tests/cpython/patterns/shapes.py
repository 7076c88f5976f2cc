"""Loops of every shape that has a name, and near misses: each function of them is called a number of times of its own."""

import asyncio
import functools
import gc
import logging
import sys
import unittest.mock
from unittest.mock import Mock

gc.disable()


class Tree:
    def __init__(self, parent=None):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


def child_and_parent():
    root = Tree()
    Tree(root)


class Link:
    def __init__(self, prev=None):
        self.prev = prev
        self.next = None
        if prev is not None:
            prev.next = self


def linked_list():
    Link(Link())


class Left:
    pass


class Right:
    pass


def two_classes_with_next_and_prev():
    left = Left()
    right = Right()
    left.next, right.prev = right, left


def exception_in_its_frame():
    try:
        raise ValueError("kept")
    except ValueError as error:
        kept = error
    return str(kept)


class Failure(Exception):
    def __init__(self, owner):
        super().__init__("failed")
        self.owner = owner


class Owner:
    def __init__(self):
        self.failure = Failure(self)


def exception_that_was_never_raised():
    Owner()


class Button:
    def __init__(self):
        self.on_click = self.clicked

    def clicked(self):
        pass


def method_on_self():
    Button()


class Subject:
    def __init__(self):
        self.observers = []


class Observer:
    def __init__(self, subject):
        self.subject = subject
        subject.observers.append(self.notify)

    def notify(self):
        pass


def observers():
    Observer(Subject())


class Dispatcher:
    def __init__(self):
        self.handlers = {"open": self.on_open}

    def on_open(self):
        pass


def own_methods_in_a_dict():
    Dispatcher()


def function_of_itself():
    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)

    fact(3)


class Pipeline:
    def __init__(self):
        def step(value):
            return self, value

        self.step = step


def closure_over_self():
    Pipeline()


class Menu:
    def __init__(self):
        self.action = lambda: self


def lambda_over_self():
    Menu()


class Report:
    def __init__(self):
        self.total = functools.lru_cache(maxsize=None)(self._total)

    def _total(self):
        return 1


def cache_of_self():
    Report()


class Parser:
    @functools.cached_property
    def cursor(self):
        return Cursor(self)


class Cursor:
    def __init__(self, parser):
        self.parser = parser


def cached_property():
    Parser().cursor


class Book:
    @functools.cached_property
    def view(self):
        return Viewer(self)


class Viewer:
    def __init__(self, book):
        self.book = book


def cached_property_of_a_class_that_comes_first():
    Book().view


def generator_in_its_own_frame():
    def numbers():
        me = yield
        yield me

    generator = numbers()
    next(generator)
    generator.send(generator)


class Job:
    def __init__(self):
        self.steps = self.run()
        next(self.steps)

    def run(self):
        yield self


def generator_on_self():
    Job()


async def wait():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("failed"))
    try:
        await future
    except ValueError:
        pass


def future_and_its_exception():
    asyncio.run(wait())


def class_at_run_time():
    type("Made", (), {})


class Rows:
    def __init__(self):
        self.iterator = None

    def __iter__(self):
        return RowIterator(self)


class RowIterator:
    def __init__(self, rows):
        self.rows = rows

    def __next__(self):
        raise StopIteration


def iterator_on_its_owner():
    rows = Rows()
    rows.iterator = iter(rows)


class Names:
    def __getitem__(self, place):
        raise IndexError


def iterator_of_the_interpreter():
    names = Names()
    names.iterator = iter(names)


class Window:
    def __init__(self):
        self.view = None


class View:
    def __init__(self, window):
        self.window = window


def view_that_is_a_widget():
    window = Window()
    window.view = View(window)


class Service:
    def __init__(self):
        self.logger = logging.Logger("service")
        self.logger.addHandler(ServiceHandler(self))


class ServiceHandler(logging.Handler):
    def __init__(self, service):
        super().__init__()
        self.service = service

    def emit(self, record):
        pass


def handler_of_a_logger():
    Service()


class Client:
    def __init__(self):
        self.get = Mock(side_effect=self.answer)

    def answer(self):
        pass


def mock_of_a_method():
    Client()


def mock():
    unittest.mock.MagicMock().method.other


class Form:
    def __init__(self):
        self.submit = functools.partial(self.send, 1)

    def send(self, n):
        pass


def partial_on_self():
    Form()


class Engine:
    pass


class Driver:
    pass


def peers():
    engine, driver = Engine(), Driver()
    engine.driver, driver.engine = driver, engine


def main(names):
    for name in names:
        function, _, times = name.partition("=")
        for _ in range(int(times)):
            globals()[function]()


if __name__ == "__main__":
    main(sys.argv[1:])
