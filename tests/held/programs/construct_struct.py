import construct as c


def once():
    s = c.Struct("n" / c.Int8ub, "xs" / c.Array(c.this.n, c.Struct("a" / c.Byte, "b" / c.Computed(c.this._.n))))
    p = s.parse(b"\x02\x05\x06")
    return p.xs[1].a, p.xs[0].b, s.build({"n": 1, "xs": [{"a": 3}]})
