#!/bin/sh
# CPython's own tests, each module without and with the recorder: both must end alike.
#
#   tests/cpython/suite.sh PYTHON [MODULE...]
#
# Needs an interpreter with its `test` package, and a built refloop (REFLOOP names it; by default target/debug/refloop).
# Of 3.9, test_sys is known to differ: test_getallocatedblocks counts on free lists that the recorder keeps empty.
# Prints one line for each module that differs, then how many were run; fails if any differs.
set -u
python=${1:?which Python?}
shift
here=$(cd "$(dirname "$0")/../.." && pwd)
refloop=${REFLOOP:-$here/target/debug/refloop}
[ $# -gt 0 ] || set -- \
    test_gc test_weakref test_threading test_fork1 test_descr test_generators test_asyncgen test_coroutines test_io \
    test_pickle test_typing test_sqlite3 test_copy test_dict test_list test_tuple test_set test_deque test_exceptions \
    test_traceback test_frame test_code test_sys test_sys_settrace test_signal test_subprocess test_contextlib test_functools \
    test_dataclasses test_enum test_abc test_class test_super test_scope test_metaclass test_property test_slice \
    test_memoryview test_struct test_bytes test_unicode test_long test_float test_json test_re test_queue \
    test_thread test_thread_local_bytecode test_finalization test_atexit test_site test_import test_weakset \
    test_ordered_dict test_collections test_iter test_itertools test_contextvars test_concurrent_futures test_audit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ran=0
skipped=0
differ=0
for module; do
    if ! "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('test.$module') is None)"; then
        skipped=$((skipped + 1))
        continue
    fi
    (cd "$work" && exec timeout 600 "$python" -m test "$module") >"$work/without" 2>&1
    without=$?
    (cd "$work" && exec timeout 900 "$refloop" record -q -o "$work/suite.reftrace" -- "$python" -m test "$module") >"$work/with" 2>&1
    with=$?
    rm -f "$work"/suite*.reftrace
    ran=$((ran + 1))
    if [ "$without" != "$with" ]; then
        differ=$((differ + 1))
        echo "$module: exit code $without without, $with with the recorder"
        grep -E '^(FAIL|ERROR|Fatal|test_.* (failed|crashed))' "$work/with" | sort -u | head -20
    fi
done
echo "$python: $ran modules run, $skipped not there, $differ differ"
[ "$differ" = 0 ]
