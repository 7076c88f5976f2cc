import reactivex as rx
from reactivex import operators as ops
from reactivex.subject import Subject


def once():
    got = []
    s = Subject()
    d = s.pipe(ops.map(lambda x: x * 2), ops.filter(lambda x: x > 2), ops.scan(lambda a, b: a + b)).subscribe(
        got.append
    )
    for i in range(4):
        s.on_next(i)
    d.dispose()
    s.on_next(9)
    rx.range(0, 3).pipe(ops.flat_map(lambda i: rx.of(i, i))).subscribe(got.append)
    return got
