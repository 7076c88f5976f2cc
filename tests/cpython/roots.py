"""Objects that only CPython's own variables hold, one class for each, and one that a module holds."""

import atexit
import codecs
import contextvars
import os
import signal
import sys


class Base:
    pass


def made(name):
    """An instance of a class of its own, as the default of a function."""
    held = type(name, (Base,), {"__module__": "__main__"})()
    return lambda *_, held=held: None


codecs.register(made("OfCodecs"))
codecs.register_error("roots", made("OfErrors"))
signal.signal(signal.SIGUSR1, made("OfSignal"))
atexit.register(made("OfExit"))
sys.addaudithook(made("OfAudit"))
variable = contextvars.ContextVar("variable")
variable.set(made("OfContext"))
module = made("OfModule")
sys.setprofile(made("OfProfile"))
# The last checkpoint is written here.
os._exit(0)
