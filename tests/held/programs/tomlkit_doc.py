import tomlkit


def once():
    d = tomlkit.parse("[a]\nb = 1 # x\n[a.c]\nd = [1, 2]\n")
    d["a"]["c"]["d"].append(3)
    d["a"]["n"] = "q"
    return tomlkit.dumps(d), d.unwrap()
