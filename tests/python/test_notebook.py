"""`%%refloop` in a shell of IPython, `no_loops` as a decorator, and `refloop.analyze`."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import refloop

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = r"""
import re
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "refloop")
shell.run_cell("class Order: pass\ndef make():\n    order = Order()\n    order.itself = order\n")
with capture_output() as looped:
    shell.run_cell_magic("refloop", "", "for _ in range(3):\n    make()\nanswer = 42")
with capture_output() as clean:
    shell.run_cell_magic("refloop", "", "kept = Order()")
with capture_output() as failed:
    shell.run_cell_magic("refloop", "", "1 / 0")
(page,) = looped.outputs
print(page.data["text/plain"].splitlines()[0])
frame = page.data["text/html"]
print(frame.startswith("<iframe sandbox="), "Order.itself" in frame, "<script" not in frame)
print(clean.outputs[0].data["text/plain"])
print(len(failed.outputs), "ZeroDivisionError" in failed.stdout + failed.stderr, shell.user_ns["answer"])
"""


def test_a_cell_shows_its_page(tmp_path):
    pytest.importorskip("IPython")
    script = tmp_path / "notebook.py"
    script.write_text(NOTEBOOK)
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.stdout.splitlines() == [
        "refloop: the block left 3 reference loops behind",
        "True True True",
        "refloop: no reference loops found in this cell",
        "0 True 42",
    ], run.stdout + run.stderr


class Order:
    pass


def make():
    order = Order()
    order.itself = order


def test_a_decorated_function_is_a_block_at_each_call():
    @refloop.no_loops()
    def clean(n):
        """Makes nothing."""
        return [Order() for _ in range(n)]

    @refloop.no_loops()
    def loops():
        make()
        make()

    assert len(clean(3)) == 3
    assert (clean.__name__, clean.__doc__) == ("clean", "Makes nothing.")
    for _ in range(2):
        with pytest.raises(refloop.ReferenceLoops, match="the block left 2 reference loops behind"):
            loops()


def test_the_decorator_needs_no_parentheses():
    @refloop.no_loops
    def loops():
        make()

    assert loops.__name__ == "loops"
    with pytest.raises(refloop.ReferenceLoops, match="the block left 1 reference loop behind"):
        loops()
    with pytest.raises(TypeError):
        refloop.no_loops(loops, 3)


def test_a_decorated_coroutine_is_looked_at_when_it_ends():
    @refloop.no_loops()
    async def loops():
        await asyncio.sleep(0)
        make()
        return 7

    with pytest.raises(refloop.ReferenceLoops, match="1 reference loop behind"):
        asyncio.run(loops())
    with pytest.raises(TypeError, match="a generator runs after its call is over"):

        @refloop.no_loops()
        def numbers():
            yield 1


def test_analyze_gives_the_report_as_the_schema_has_it():
    report = refloop.analyze(ROOT / "fixtures" / "hand" / "parent-child.reftrace")
    (loop,) = report["loops"]
    assert loop["path"] == "Order.items[*] → Line.order → Order"
    assert report["summary"]["cyclic_garbage"]["loops"] == loop["count"]
    assert set(refloop.Report.__annotations__) <= {*report, "unreachable"}
    with pytest.raises(refloop.RefloopError, match="nowhere"):
        refloop.analyze("nowhere.reftrace")
