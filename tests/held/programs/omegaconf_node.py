from omegaconf import OmegaConf


def node():
    return OmegaConf.create({"a": {"b": 3, "c": "${a.b}"}}).a


def once():
    a = node()
    return a.c, a.b, OmegaConf.to_container(a, resolve=True), a._get_parent() is not None
