#!/bin/sh
# CPython's own tests, each module without and with the recorder: every test must end alike.
#
#   tests/cpython/suite.sh PYTHON [MODULE...]
#
# Needs an interpreter with its `test` package (for Debian's, libpython3.X-testsuite) and a built refloop (REFLOOP names it;
# by default target/debug/refloop). A module that takes longer than SECONDS_EACH (600) is not compared. One that differs is run
# once more both ways, since some tests fail now and then alone. Prints the tests that differ both times (20 of a module), then how
# many there were; fails if any differs. docs/survival.md says which are known to.
set -u
python=${1:?which Python?}
shift
here=$(cd "$(dirname "$0")/../.." && pwd)
refloop=${REFLOOP:-$here/target/debug/refloop}
seconds=${SECONDS_EACH:-600}
[ $# -gt 0 ] || set -- \
    test_gc test_weakref test_threading test_fork1 test_descr test_generators test_asyncgen test_coroutines test_io \
    test_pickle test_typing test_sqlite3 test_copy test_dict test_list test_tuple test_set test_deque test_exceptions \
    test_traceback test_frame test_code test_sys test_sys_settrace test_signal test_subprocess test_contextlib test_functools \
    test_dataclasses test_enum test_abc test_class test_super test_scope test_metaclass test_property test_slice \
    test_memoryview test_struct test_bytes test_str test_unicode test_long test_float test_json test_re test_queue \
    test_thread test_thread_local_bytecode test_finalization test_atexit test_site test_import test_weakset test_dictviews \
    test_ordered_dict test_collections test_iter test_itertools test_contextvars test_context test_concurrent_futures \
    test_audit test_ctypes test_mmap test_array test_threadsignals test_ast test_types test_funcattrs test_tempfile \
    test_userdict test_weakkeydict test_complex test_heapq test_bisect test_inspect test_datetime test_tracemalloc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The result of each test of a module, one a line, and the exit code; nothing where the time was not enough.
results() {
    (cd "$work" && exec timeout -k 9 "$seconds" "$@" -m test --junit-xml "$work/tests.xml" "$module") >"$work/said" 2>&1
    code=$?
    [ "$code" != 124 ] && [ "$code" != 137 ] || return
    "$python" - "$work/tests.xml" <<'EOF'
import sys, xml.etree.ElementTree as trees
try:
    cases = list(trees.parse(sys.argv[1]).iter("testcase"))
except (OSError, trees.ParseError):
    cases = []
for case in cases:
    print(*sorted({part.tag for part in case} & {"failure", "error", "skipped"}) or ["success"], case.get("name"))
EOF
    echo "exit code $code"
    rm -rf "$work/tests.xml" "$work"/suite*.reftrace
}

# Writes what differs of the module into `differs`; false where that is not known.
compare() {
    results "$python" | sort >"$work/without"
    results "$refloop" record -q -o "$work/suite.reftrace" -- "$python" | sort >"$work/with"
    [ -s "$work/without" ] && [ -s "$work/with" ] || return
    diff "$work/without" "$work/with" | grep '^[<>]' | sed "s/^</without: /; s/^>/with:    /" >"$work/differs"
    true
}

ran=0 tests=0 missing=0 long=0 differ=0
for module; do
    if ! "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('test.$module') is None)"; then
        missing=$((missing + 1))
    elif ! compare; then
        long=$((long + 1))
        echo "$module: took longer than $seconds s"
    else
        ran=$((ran + 1))
        tests=$((tests + $(grep -vc '^exit code' "$work/without")))
        if [ -s "$work/differs" ] && compare && [ -s "$work/differs" ]; then
            differ=$((differ + 1))
            echo "$module: $(wc -l <"$work/differs") lines differ"
            grep 'exit code' "$work/differs"
            grep -v 'exit code' "$work/differs" | head -20
        fi
    fi
done
echo "$python: $ran modules with $tests tests run, $missing not there, $long not compared, $differ differ"
[ "$differ" = 0 ]
