"""`pytest --refloop`, `no_loops` and `record` with the real recorder: who is blamed, and who is not."""

import sys

import pytest

SHOP = """
    class Order:
        def __init__(self):
            self.items = []

    class Line:
        def __init__(self, order):
            self.order = order

    def make_order():
        order = Order()
        order.items.append(Line(order))
        return order
"""

CLEAN = """
    import asyncio
    import contextlib
    import logging
    import os
    import warnings

    import pytest

    @pytest.fixture
    def number():
        yield 1

    @pytest.fixture(scope="module")
    def shared(tmp_path_factory):
        return tmp_path_factory.mktemp("shared")

    class TestClass:
        def test_fixture(self, number, shared):
            assert number == 1

        @pytest.mark.parametrize("x", [1, 2, 3])
        def test_parameter(self, x):
            assert x

    def test_raises():
        with pytest.raises(ValueError) as excinfo:
            int("x")
        assert "invalid" in str(excinfo.value)

    def test_raises_match():
        with pytest.raises(ZeroDivisionError, match="zero"):
            1 / 0

    def test_skip():
        pytest.skip("not here")

    @pytest.mark.xfail
    def test_xfail():
        assert False

    def test_capture(capsys, caplog, monkeypatch, recwarn):
        print("out")
        logging.getLogger("app").warning("watch out")
        monkeypatch.setenv("X", "1")
        warnings.warn("old")
        assert capsys.readouterr().out == "out\\n"

    def test_context():
        with contextlib.suppress(OSError):
            os.stat("/nowhere")

    def test_closure():
        def inner():
            return 1
        assert inner() == 1
"""

CLEAN_UNITTEST = """
    import unittest

    class CartTest(unittest.TestCase):
        def setUp(self):
            self.cart = []

        def test_raises(self):
            with self.assertRaises(ValueError) as caught:
                int("x")
            assert caught.exception

        def test_subtests(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertEqual(number, number)

        @unittest.skip("later")
        def test_skipped(self):
            pass
"""


def blamed(run):
    return sorted(
        line.split(" - ")[0].split("::", 1)[1]
        for line in run.stdout.splitlines()
        if line.startswith("ERROR ") and "::" in line
    )


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["one process", "xdist"])
def test_each_test_is_blamed_for_the_loops_that_it_made(project, workers):
    project.write(
        shop=SHOP,
        test_shop="""
            import gc

            from shop import make_order

            def test_before():
                assert make_order

            def test_one():
                assert make_order().items

            def test_between():
                pass

            def test_collects():
                make_order()
                make_order()
                gc.collect()

            def test_after():
                gc.collect()

            class TestShop:
                def test_method(self):
                    assert make_order()
        """,
    )
    run = project.pytest("--refloop", "-ra", *workers)
    assert run.returncode == 1, run.stdout
    assert blamed(run) == ["TestShop::test_method", "test_collects", "test_one"], run.stdout
    assert "6 passed, 3 errors" in run.stdout
    assert "Order.items[*] → Line.order → Order" in run.stdout
    assert "shop.py:11 make_order ← test_shop.py:" in run.stdout
    assert "refloop: 4 reference loops left behind by 3 tests" in run.stdout


def test_clean_tests_are_green(project):
    project.write(test_clean=CLEAN, test_unit=CLEAN_UNITTEST)
    run = project.pytest("--refloop", "-ra")
    assert run.returncode == 0, run.stdout
    assert "refloop: no reference loops found" in run.stdout


def test_what_fails_is_not_blamed_for_its_own_traceback(project):
    project.write(
        test_fails="""
            import pytest

            @pytest.fixture
            def broken():
                raise RuntimeError

            def helper(number):
                assert number == 2

            def test_fails():
                helper(1)

            def test_broken_fixture(broken):
                pass

            def test_after():
                pass
        """
    )
    without = project.pytest()
    run = project.pytest("--refloop")
    assert run.returncode == without.returncode == 1
    assert "1 failed, 1 passed, 1 error" in run.stdout
    assert "refloop: no reference loops found" in run.stdout, run.stdout


def test_a_failed_tests_loops_are_its_own_though_pytest_keeps_its_exception(project):
    project.write(
        shop=SHOP,
        test_shop="""
            from shop import make_order

            def test_fails():
                order = make_order()
                assert not order.items

            def test_next():
                pass

            def test_next_but_one():
                pass
        """,
    )
    run = project.pytest("--refloop", "-ra")
    assert blamed(run) == ["test_fails"], run.stdout


def test_what_an_older_fixture_leaves_behind_is_no_later_tests_fault(project):
    """A loop that a fixture of the class kept is found with the whole heap, and no other test is blamed."""
    project.write(
        shop=SHOP,
        test_shop="""
            import gc

            import pytest
            from shop import make_order

            class TestFirst:
                @pytest.fixture(scope="class")
                def order(self):
                    yield make_order()

                def test_uses_it(self, order):
                    gc.collect()

            @pytest.mark.parametrize("n", range(200))
            def test_tiny(n):
                pass
        """,
    )
    run = project.pytest("--refloop", "-ra")
    assert run.returncode == 1, run.stdout
    assert all("test_tiny" not in name for name in blamed(run)), run.stdout
    assert "refloop: 1 reference loop left behind by " in run.stdout


def test_a_helper_that_many_tests_use_is_told_once(project):
    tests = "from shop import make_order\n\n" + "".join(f"def test_{n}():\n    make_order()\n\n" for n in range(30))
    project.write(shop=SHOP, test_shop=tests)
    run = project.pytest("--refloop")
    assert run.returncode == 1, run.stdout
    assert "30 passed, 1 error" in run.stdout
    assert "refloop: 30 reference loops left behind by 30 tests" in run.stdout
    assert len(run.stdout.splitlines()) < 40, run.stdout


def test_a_loop_that_was_made_once_has_its_stack_on_demand(project):
    project.write(shop=SHOP, test_shop="from shop import make_order\n\ndef test_one():\n    make_order()\n")
    run = project.pytest("--refloop")
    assert run.returncode == 1, run.stdout
    assert "make_order" not in run.stdout, run.stdout
    assert "defined at" in run.stdout, run.stdout
    assert "shop.py:" in run.stdout, run.stdout
    assert "--refloop-stacks finds it" in run.stdout, run.stdout
    run = project.pytest("--refloop", "--refloop-stacks")
    assert run.returncode == 1, run.stdout
    assert "shop.py:11 make_order ← test_shop.py:4 test_one" in run.stdout, run.stdout
    assert "finds it" not in run.stdout, run.stdout


def test_tests_run_once_more_on_demand(project):
    project.write(
        shop=SHOP,
        test_shop="""
            import pytest
            from shop import make_order

            @pytest.fixture(scope="module")
            def opened():
                print("opened")
                yield

            class TestOrders:
                def test_clean(self, opened):
                    print("runs once")

                def test_one(self, tmp_path):
                    print("runs twice")
                    make_order()
                    assert len(list(tmp_path.iterdir())) == 0
        """,
    )
    run = project.pytest("--refloop", "--refloop-rerun", "-s")
    assert run.returncode == 1, run.stdout
    assert "2 passed, 1 error" in run.stdout
    assert (run.stdout.count("runs once"), run.stdout.count("runs twice")) == (1, 2)
    assert "made at      shop.py:11 make_order ← test_shop.py:16 " in run.stdout, run.stdout
    assert " (run once more)\n" in run.stdout, run.stdout
    assert "refloop: 1 test ran once more, with all stacks" in run.stdout
    assert "finds it" not in run.stdout
    assert "rerun" not in project.pytest("--refloop").stdout
    assert project.left_in_tmp() == []


def test_collection_goes_on_as_ever(project):
    """The plugin collects nothing: the same collections happen, and garbage stays until then."""
    project.write(
        test_gc="""
            import gc
            import weakref

            class Loop:
                def __init__(self):
                    self.me = self

            def test_one():
                global watched
                gc.collect()
                gc.disable()
                watched = weakref.ref(Loop())

            def test_two():
                assert watched() is not None
                gc.enable()
                assert gc.collect() > 0
                assert watched() is None
        """
    )
    run = project.pytest("--refloop=report")
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout
    assert "    left by      test_gc.py::test_one\n" in run.stdout


def test_a_run_under_record_is_judged_too(project):
    project.write(shop=SHOP, test_shop="from shop import make_order\n\ndef test_one():\n    make_order()\n")
    command = project.environment["REFLOOP_BINARY"]
    script = (
        "import subprocess, sys; sys.exit(subprocess.call("
        f"[{command!r}, 'record', '-q', '-o', 'out.reftrace', '--', sys.executable, '-m', 'pytest', *sys.argv[1:]]))"
    )
    run = project.python("-c", script, "-p", "refloop.pytest_plugin", "--refloop", "-ra")
    assert run.returncode == 1, run.stdout
    assert blamed(run) == ["test_one"], run.stdout
    assert (project.folder / "out.reftrace").is_file()


def test_a_clean_run_under_record_passes_though_the_recording_goes_on(project):
    project.write(test_clean="def test_one():\n    pass\n")
    command = project.environment["REFLOOP_BINARY"]
    script = (
        "import subprocess, sys; sys.exit(subprocess.call("
        f"[{command!r}, 'record', '-q', '-o', 'out.reftrace', '--', sys.executable, '-m', 'pytest', *sys.argv[1:]]))"
    )
    run = project.python("-c", script, "-p", "refloop.pytest_plugin", "--refloop", "-ra")
    assert run.returncode == 0, run.stdout


def test_a_baseline_makes_the_second_run_green(project):
    project.write(shop=SHOP, test_shop="from shop import make_order\n\ndef test_one():\n    make_order()\n")
    assert project.pytest("--refloop").returncode == 1
    for named in ([], ["--refloop-baseline=known.txt"]):
        run = project.pytest("--refloop", *named, "--refloop-write-baseline")
        assert run.returncode == 0, run.stdout
        assert "refloop: wrote 1 entry to " in run.stdout
        run = project.pytest("--refloop", *named)
        assert run.returncode == 0, run.stdout
        assert "no reference loops found" in run.stdout
        assert "1 in the baseline" in run.stdout


def test_the_configuration_of_the_project_counts(project):
    project.write(shop=SHOP, test_shop="from shop import make_order\n\ndef test_one():\n    make_order()\n")
    (project.folder / "refloop.toml").write_text('[[suppress]]\ntype = "shop.Order"\nreason = "an example"\n')
    run = project.pytest("--refloop")
    assert run.returncode == 0, run.stdout
    assert "1 suppressed" in run.stdout
    (project.folder / "refloop.toml").write_text("[[supress]]\n")
    run = project.pytest("--refloop")
    assert run.returncode == 4, run.stdout
    assert "unknown key 'supress'" in run.stdout


def test_a_block_without_loops_and_one_with(project):
    project.write(
        shop=SHOP,
        script="""
            import refloop
            from shop import Order, make_order

            make_order()
            with refloop.no_loops():
                Order()
            try:
                with refloop.no_loops():
                    make_order()
                    make_order()
            except AssertionError as error:
                print(error)
            try:
                with refloop.no_loops():
                    make_order()
                    raise KeyError("mine")
            except KeyError as error:
                print("passed on", error)
            with refloop.no_loops():
                Order()
            print("done")
        """,
    )
    run = project.python("script.py")
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("the block left 2 reference loops behind\nLOOP "), run.stdout
    assert "Order.items[*] → Line.order → Order" in run.stdout
    assert run.stdout.endswith("passed on 'mine'\ndone\n"), run.stdout
    assert project.left_in_tmp() == []


def test_blocks_in_a_recording_that_goes_on_tell_their_own_loops_each(project):
    project.write(
        shop=SHOP,
        script="""
            import gc
            import refloop
            from shop import make_order

            for count in (2, 3, 0):
                try:
                    with refloop.no_loops():
                        for _ in range(count):
                            make_order()
                        gc.collect()
                except AssertionError as error:
                    print(*str(error).splitlines()[:3], sep="\\n")
        """,
    )
    command = project.environment["REFLOOP_BINARY"]
    recording = f"[{command!r}, 'record', '-q', '-o', 'out.reftrace', '--', *sys.argv[1:]]"
    record = f"import subprocess, sys; subprocess.call({recording})"
    lines = project.python("-c", record, sys.executable, "script.py").stdout.splitlines()
    assert lines[0] == "the block left 2 reference loops behind", lines
    assert "  2 × " in lines[1], lines  # noqa: RUF001
    assert lines[3] == "the block left 3 reference loops behind", lines
    assert lines[4].endswith("  3 in this block"), lines
    assert "of 5 × " in lines[5], lines  # noqa: RUF001
    assert len(lines) == 6, lines


def test_a_block_that_cannot_be_looked_at_raises_unless_it_may(project):
    project.write(
        script="""
            import refloop

            try:
                with refloop.no_loops():
                    print("not reached")
            except refloop.RefloopError as error:
                print(error)
            with refloop.no_loops(optional=True):
                print("runs")
        """,
    )
    run = project.python("-W", "always", "script.py", REFLOOP_BINARY="/nowhere")
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("REFLOOP_BINARY names '/nowhere', which is no file\n"), run.stdout
    assert "not reached" not in run.stdout
    assert "RefloopWarning: reference loops are not looked for: REFLOOP_BINARY" in run.stdout
    assert "runs\n" in run.stdout


def test_a_script_records_itself(project):
    project.write(
        shop=SHOP,
        script="""
            import refloop
            from shop import make_order

            with refloop.record("out.reftrace") as recording:
                refloop.mark("iteration", "1")
                make_order()
                try:
                    refloop.record("other.reftrace")
                except refloop.RefloopError as error:
                    print(error)
            print(recording.path)
        """,
    )
    run = project.python("script.py")
    trace = project.folder / "out.reftrace"
    assert run.stdout == f"this process is recorded already, into {trace}\n{trace}\n"
    run = project.python("-m", "refloop", "check", "out.reftrace")
    assert run.returncode == 1, run.stdout
    assert "Order.items[*] → Line.order → Order" in run.stdout


def test_the_command_runs_as_a_module(project):
    run = project.python("-m", "refloop", "--version")
    assert run.returncode == 0
    assert run.stdout.startswith("refloop ")
    assert project.python("-m", "refloop", "nonsense").returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_a_missing_command_is_one_line(project):
    run = project.python("-m", "refloop", REFLOOP_BINARY="/nowhere")
    assert (run.returncode, run.stdout) == (3, "error: REFLOOP_BINARY names '/nowhere', which is no file\n")
