"""What `pytest --refloop` says and how it ends, with a pretended agent: for every pytest, also without a binary."""

import xml.etree.ElementTree as ElementTree

import pytest

LEAKY = """
    import _refloop

    def test_clean():
        pass

    def test_leaky():
        _refloop.leak("Order.items[*] → Line.order → Order")

    def test_leaky_too():
        _refloop.leak("Order.items[*] → Line.order → Order")
        _refloop.leak("Order.items[*] → Line.order → Order")
"""


@pytest.fixture(params=[[], ["-n2"]], ids=["one process", "xdist"])
def workers(request):
    if request.param:
        pytest.importorskip("xdist")
    return request.param


def test_without_the_option_nothing_happens(pretended):
    pretended.write(test_app=LEAKY)
    run = pretended.pytest()
    assert run.returncode == 0
    assert "refloop:" not in run.stdout


def test_each_test_fails_for_its_own_loops(pretended, workers):
    pretended.write(test_app=LEAKY)
    run = pretended.pytest("--refloop", "-rA", *workers)
    assert run.returncode == 1, run.stdout
    assert "3 passed, 2 errors" in run.stdout
    assert "ERROR at teardown of test_leaky" in run.stdout
    assert "ERROR at teardown of test_leaky_too" in run.stdout
    assert "ERROR at teardown of test_clean" not in run.stdout
    assert "    Order.items[*] → Line.order → Order\n    made at      app.py:42 make_order\n" in run.stdout
    assert run.stdout.count("LOOP Order") == 1
    assert " in this test\n     of " in run.stdout
    assert "    also in      1 other test\n" in run.stdout
    assert " as in test_app.py::test_leaky" in run.stdout
    assert "refloop: 3 reference loops left behind by 2 tests\n" in run.stdout
    assert "ERROR test_app.py::test_leaky - 1 reference loop left behind: Order" in run.stdout
    assert pretended.left_in_tmp() == []


def test_a_report_fails_nothing(pretended, workers):
    pretended.write(test_app=LEAKY)
    run = pretended.pytest("--refloop=report", *workers)
    assert run.returncode == 0, run.stdout
    assert "reference loops ===" in run.stdout
    assert run.stdout.count("LOOP Order") == 1
    assert "    left by      test_app.py::test_leaky" in run.stdout
    assert "3 reference loops left behind by 2 tests" in run.stdout


MANY = """
    import _refloop
    import pytest

    @pytest.mark.parametrize("n", range(5))
    def test_leaky(n):
        _refloop.leak("Client.app → App.client → Client"{more})
"""


def test_what_many_tests_share_is_one_failure_of_its_own(pretended, workers):
    pretended.write(test_app=MANY.replace("{more}", ""))
    run = pretended.pytest("--refloop", "-rA", *workers)
    assert run.returncode == 1, run.stdout
    assert "5 passed, 1 error" in run.stdout
    assert run.stdout.count("LOOP Client") == 1
    assert "test_app.py::test_leaky[0]" in run.stdout
    assert ", 2 more tests\n" in run.stdout
    assert "ERROR refloop::Client.app → App.client → Client - 5 reference loops" in run.stdout
    assert "refloop: 5 reference loops left behind by 5 tests\n" in run.stdout
    assert "refloop: --refloop-write-baseline accepts what there is" in run.stdout


def test_what_many_tests_make_themselves_fails_each(pretended):
    pretended.write(test_app=MANY.replace("{more}", ", site='test_app.py'"))
    run = pretended.pytest("--refloop")
    assert "5 passed, 5 errors" in run.stdout
    assert run.stdout.count("LOOP Client") == 1
    assert run.stdout.count("\n1 reference loop left behind as in test_app.py::test_leaky[0]: Client.app → ") == 4


def test_kinds_that_one_reference_closes_are_one_failure(pretended, workers):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.parametrize("n", range(5))
            def test_leaky(n):
                path = f"Schema{n}.fields[*] → Field.parent → Schema{n}"
                _refloop.leak(path, cut="Field.parent", site="test_app.py")
        """
    )
    run = pretended.pytest("--refloop", *workers)
    assert "5 passed, 1 error" in run.stdout, run.stdout
    assert run.stdout.count("LOOP Schema") == 1
    assert "as well as   4 more kinds of 4 loops by the same cause, in all 5 tests: Schema" in run.stdout
    assert "refloop: 5 reference loops left behind by 5 tests\n" in run.stdout


def test_remarks_are_made_once(pretended):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.parametrize("n", range(3))
            def test_leaky(n):
                advice = "make it weak, or" if n < 2 else "clear it"
                pattern = [f"    pattern      a container; {advice}", " " * 17 + "leave it"]
                remarks = [*pattern, "    owner        not known"]
                _refloop.leak(f"A.a{n} → A", site="test_app.py", remarks=remarks)
        """
    )
    run = pretended.pytest("--refloop")
    first, second, third = run.stdout.split("LOOP A")[1:]
    assert "    pattern      a container; make it weak, or\n" in first
    assert " leave it\n    owner        not known\n" in first
    assert "    pattern      a container\n" in second
    assert "    pattern      a container; clear it\n" in third
    assert "leave it" in third
    assert "leave it" not in second
    assert "owner" not in second + third
    assert "left behind\n" not in run.stdout, "the text of a kind says how many there are"


def test_what_many_tests_share_is_told_in_short_after_thirty_lines(pretended):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.parametrize("n", range(5))
            def test_leaky(n):
                for kind in "ABCDE":
                    remarks = [f"    cut          {kind}.me"] * 12
                    _refloop.leak(f"{kind}.me → {kind}", cut=f"{kind}.me", remarks=remarks)
        """
    )
    run = pretended.pytest("--refloop")
    assert "5 passed, 5 errors" in run.stdout, run.stdout
    assert [run.stdout.count(f"LOOP {kind}.me") for kind in "ABCDE"] == [1, 1, 0, 0, 0]
    assert (
        "\n5 loops: C.me → C, made at app.py:42; cut C.me\n    left by      test_app.py::test_leaky[0]," in run.stdout
    )


def test_kinds_that_came_together_before_are_told_together(pretended):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.parametrize("n", range(2))
            def test_leaky(n):
                for kind in "AB":
                    _refloop.leak(f"{kind}.me → {kind}", site="test_app.py")
        """
    )
    run = pretended.pytest("--refloop")
    assert run.stdout.count("\n2 reference loops left behind\nLOOP ") == 1, run.stdout
    assert "\n2 reference loops left behind as in test_app.py::test_leaky[0]: A.me → A; B.me → B\n" in run.stdout


def test_what_tests_make_themselves_is_told_in_full_three_times(pretended):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.parametrize("n", range(5))
            def test_leaky(n):
                _refloop.leak(f"A.a{n} → A", site="test_app.py")

            _refloop.leak("B.me → B")
        """
    )
    run = pretended.pytest("--refloop")
    assert run.stdout.count("LOOP A.a") == 3
    assert run.stdout.count("\n1 reference loop left behind: A.a") == 2
    assert "\n1 reference loop left behind: A.a4 → A, made at test_app.py:42\n" in run.stdout
    assert "    1 loop: B.me → B, made at app.py:42\n" in run.stdout


def test_classes_that_a_test_makes_count_where_it_is_asked_for(pretended, workers):
    pretended.write(
        test_app="""
            import _refloop

            def test_makes_classes():
                for _ in range(3):
                    _refloop.leak("class Made.__mro__[*] → class Made", pattern="class made at run time")
        """
    )
    run = pretended.pytest("--refloop", *workers)
    assert run.returncode == 0, run.stdout
    assert "refloop: no reference loops found (not counted: 3 classes made in tests)\n" in run.stdout
    (pretended.folder / "pytest.ini").write_text("[pytest]\nrefloop_classes = true\n")
    run = pretended.pytest("--refloop", *workers)
    assert run.returncode == 1, run.stdout
    assert "3 reference loops left behind by 1 test\n" in run.stdout


def test_a_report_of_very_many_kinds_says_what_it_leaves_out(pretended):
    pretended.write(
        test_app="""
            import _refloop

            def test_leaky():
                for n in range(100):
                    _refloop.leak(f"A.a{n} → A")
        """
    )
    run = pretended.pytest("--refloop=report")
    assert run.stdout.count("LOOP ") == 10
    assert run.stdout.count("1 loop: A.a") == 20
    assert "… and 70 more kinds of 70 loops (--refloop-trace keeps the recording)\n" in run.stdout
    assert "100 reference loops left behind by 1 test" in run.stdout


def test_a_clean_run_says_one_line(pretended, workers):
    pretended.write(test_app="def test_clean(): pass")
    run = pretended.pytest("--refloop", "-q", *workers)
    assert run.returncode == 0, run.stdout
    assert [line for line in run.stdout.splitlines() if "refloop" in line] == ["refloop: no reference loops found"]


def test_the_option_does_not_take_the_folder_after_it_for_its_value(pretended):
    pretended.write(tests__test_app=LEAKY)
    assert "3 passed, 2 errors" in pretended.pytest("--refloop", "tests").stdout
    assert pretended.pytest("--refloop=nonsense", "tests").returncode == 4


def test_failures_keep_their_report_and_their_exit_code(pretended, workers):
    pretended.write(
        test_app="""
            import _refloop

            def test_fails():
                _refloop.leak("A.a → A")
                assert 1 == 2
        """
    )
    run = pretended.pytest("--refloop", *workers)
    assert run.returncode == 1
    assert "assert 1 == 2" in run.stdout
    assert "1 failed, 1 error" in run.stdout


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({}, [], 5),
        ({"test_app": "syntax error"}, [], 2),
        ({"test_app": "import pytest\ndef test_stop(): pytest.exit('enough', returncode=7)"}, [], 7),
        ({"test_app": "def test_a(): pass"}, ["--nonsense"], 4),
    ],
    ids=["no tests", "broken collection", "exit", "usage"],
)
def test_other_exit_codes_stay(pretended, files, arguments, code):
    pretended.write(**files)
    assert pretended.pytest(*arguments).returncode == code
    assert pretended.pytest("--refloop", *arguments).returncode == code
    assert pretended.left_in_tmp() == []


def test_a_marker_with_a_reason_lets_a_test_be(pretended, workers):
    pretended.write(
        test_app="""
            import _refloop
            import pytest

            @pytest.mark.refloop(ignore="ticket 12")
            def test_accepted():
                _refloop.leak("A.a → A")

            @pytest.mark.refloop(ignore="the plugin API wants it so")
            class TestAccepted:
                def test_in_class(self):
                    _refloop.leak("B.b → B")
        """
    )
    run = pretended.pytest("--refloop", "--strict-markers", *workers)
    assert run.returncode == 0, run.stdout
    assert "no reference loops found" in run.stdout


@pytest.mark.parametrize(
    "marker", ["refloop", "refloop()", "refloop(ignore='')", "refloop('x')", "refloop(because='x')"]
)
def test_a_marker_without_a_reason_fails_its_test(pretended, marker):
    pretended.write(test_app=f"import pytest\n\n@pytest.mark.{marker}\ndef test_a(): pass")
    run = pretended.pytest("--refloop")
    assert run.returncode == 1
    assert 'the refloop marker needs a reason: @pytest.mark.refloop(ignore="…")' in run.stdout


def test_the_marker_is_known_without_the_option(pretended):
    pretended.write(test_app="import pytest\n\n@pytest.mark.refloop(ignore='x')\ndef test_a(): pass")
    assert pretended.pytest("--strict-markers").returncode == 0


def test_a_baseline_makes_the_next_run_green(pretended, workers):
    pretended.write(test_app=LEAKY)
    run = pretended.pytest("--refloop", "--refloop-baseline=known.txt", "--refloop-write-baseline", *workers)
    assert run.returncode == 0, run.stdout
    run = pretended.pytest("--refloop", "--refloop-baseline=known.txt", *workers)
    assert run.returncode == 0, run.stdout
    assert "refloop: no reference loops found (not counted: 1 in the baseline)" in run.stdout


def test_a_missing_baseline_is_a_usage_error_before_any_test_runs(pretended):
    pretended.write(test_app="def test_a(): pass")
    run = pretended.pytest("--refloop", "--refloop-baseline=nowhere.txt")
    assert run.returncode == 4
    assert "--refloop-baseline: there is no file 'nowhere.txt'" in run.stdout
    assert "passed" not in run.stdout
    assert pretended.left_in_tmp() == []


def test_a_wrong_configuration_is_a_usage_error(pretended):
    pretended.write(test_app="def test_a(): pass")
    run = pretended.pytest("--refloop", FAKE_CHECK="2 refloop.toml:1: unknown key 'x'")
    assert run.returncode == 4
    assert "refloop: refloop.toml:1: unknown key 'x'" in run.stdout
    assert "1 passed" in run.stdout


def test_what_cannot_be_analysed_is_not_green(pretended):
    pretended.write(test_app="def test_a(): pass")
    run = pretended.pytest("--refloop", FAKE_CHECK="3 the trace is cut")
    assert run.returncode == 3
    assert "refloop: the trace is cut" in run.stdout


def test_where_recording_is_impossible_the_session_fails_with_the_reason(pretended, workers):
    pretended.write(test_app=LEAKY)
    run = pretended.pytest("--refloop", *workers, FAKE_START="CPython 3.99 cannot be recorded")
    assert run.returncode == 3, run.stdout
    assert "3 passed" in run.stdout
    assert run.stdout.count("refloop: nothing is recorded: CPython 3.99 cannot be recorded") == 1
    assert "--refloop-optional passes all the same" in run.stdout


def test_a_session_that_need_not_be_recorded_passes_and_says_why_it_was_not(pretended, workers):
    pretended.write(test_app=LEAKY)
    reason = "refloop: nothing is recorded: CPython 3.99 cannot be recorded"
    run = pretended.pytest("--refloop", "--refloop-optional", *workers, FAKE_START="CPython 3.99 cannot be recorded")
    assert (run.returncode, run.stdout.count(reason)) == (0, 1), run.stdout
    run = pretended.pytest("--refloop=report", *workers, FAKE_START="CPython 3.99 cannot be recorded")
    assert (run.returncode, run.stdout.count(reason)) == (0, 1), run.stdout
    (pretended.folder / "pytest.ini").write_text("[pytest]\nrefloop_required = false\n")
    run = pretended.pytest("--refloop", *workers, FAKE_START="CPython 3.99 cannot be recorded")
    assert (run.returncode, run.stdout.count(reason)) == (0, 1), run.stdout


def test_a_failed_test_is_what_the_exit_code_says_also_where_nothing_is_recorded(pretended):
    pretended.write(test_app="def test_a(): assert False")
    run = pretended.pytest("--refloop", FAKE_START="CPython 3.99 cannot be recorded")
    assert run.returncode == 1, run.stdout


def test_without_a_command_the_tests_run_and_the_session_fails(pretended):
    pretended.write(test_app="def test_a(): pass", sitecustomize="")
    (pretended.folder / "empty").mkdir()
    run = pretended.pytest(
        "--refloop", REFLOOP_BINARY="/nowhere/refloop", PYTHONPATH=pretended.environment["PYTHONPATH"].split(":")[-1]
    )
    assert run.returncode == 3, run.stdout
    assert "1 passed" in run.stdout
    assert "refloop: nothing is recorded: REFLOOP_BINARY names '/nowhere/refloop', which is no file" in run.stdout


def test_loops_outside_of_tests_are_told_once_for_the_session(pretended, workers):
    pretended.write(
        test_app="""
            import _refloop

            _refloop.leak("A.a → A")

            def test_a():
                pass
        """
    )
    run = pretended.pytest("--refloop", *workers)
    assert run.returncode == 1, run.stdout
    assert "1 passed, 1 error" in run.stdout
    assert "left behind by code outside of tests" in run.stdout


def test_the_trace_is_kept_where_it_is_asked_for(pretended, workers):
    pretended.write(test_app=LEAKY)
    pretended.pytest("--refloop", "--refloop-trace=out.reftrace", *workers)
    kept = sorted(path.name for path in pretended.folder.glob("*.reftrace"))
    assert kept == (["out.gw0.reftrace", "out.gw1.reftrace"] if workers else ["out.reftrace"])


def test_junit_has_each_failure_once(pretended, workers):
    pretended.write(test_app=LEAKY)
    pretended.pytest("--refloop", "--junitxml=out.xml", *workers)
    suite = next(ElementTree.parse(str(pretended.folder / "out.xml")).iter("testsuite"))
    assert suite.get("errors") == "2"
    errors = [case.get("name") for case in suite.iter("testcase") if case.find("error") is not None]
    assert sorted(errors) == ["test_leaky", "test_leaky_too"]
    for error in suite.iter("error"):
        assert "left behind: Order.items[*] → Line.order → Order" in error.get("message")
    assert sum("made at      app.py:42 make_order" in error.text for error in suite.iter("error")) == 1
