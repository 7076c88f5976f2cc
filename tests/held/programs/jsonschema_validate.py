import jsonschema


def once():
    s = {
        "$id": "urn:x",
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"type": "integer"}},
    }
    v = jsonschema.Draft202012Validator(s)
    e = next(v.iter_errors({"a": "x"}))
    return e.message, list(e.path), jsonschema.exceptions.best_match(v.iter_errors({"a": "x"})).validator
