from omegaconf import OmegaConf


def once():
    c = OmegaConf.create({"a": {"b": 3, "c": "${a.b}"}, "l": [1, {"x": "${a.c}"}]})
    m = OmegaConf.merge(c, {"a": {"b": 4}})
    return c.a.c, m.l[1].x, OmegaConf.to_yaml(m)
