import ezdxf


def entity():
    return ezdxf.new().modelspace().add_line((0, 0), (1, 1))


def once():
    l = entity()
    l.dxf.layer = "x"
    return l.dxf.end.x, l.doc.dxfversion, l.get_layout().name
