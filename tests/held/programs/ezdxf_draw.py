import ezdxf, io


def once():
    d = ezdxf.new()
    m = d.modelspace()
    l = m.add_line((0, 0), (1, 1))
    b = d.blocks.new("B")
    b.add_circle((0, 0), 1)
    m.add_blockref("B", (1, 1))
    o = io.StringIO()
    d.write(o)
    return l.doc is d, len(m), len(list(m.query("LINE")))
