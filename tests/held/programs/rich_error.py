import io
from rich.console import Console
from rich.traceback import Traceback


def once():
    out = io.StringIO()
    c = Console(file=out, width=60)
    try:
        1 / 0
    except ZeroDivisionError:
        c.print_exception(show_locals=True)
    return "ZeroDivisionError" in out.getvalue()
