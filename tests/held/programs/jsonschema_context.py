import jsonschema


def once():
    v = jsonschema.Draft202012Validator(
        {"anyOf": [{"type": "integer"}, {"properties": {"a": {"type": "string"}}, "required": ["b"]}]}
    )
    e = next(v.iter_errors({"a": 1}))
    return [(c.message, c.parent is e) for c in e.context], jsonschema.ErrorTree([e]).total_errors
