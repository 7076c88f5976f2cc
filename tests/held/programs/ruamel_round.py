import io, ruamel.yaml


def once():
    y = ruamel.yaml.YAML()
    d = y.load("a: 1 # c\nb:\n- x\n- &q y\n- *q\n")
    d["z"] = 3
    out = io.StringIO()
    y.dump(d, out)
    return out.getvalue()
