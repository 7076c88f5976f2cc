from cerberus import Validator


def once():
    v = Validator({"a": {"type": "dict", "schema": {"b": {"type": "integer", "coerce": int}}}})
    return v.validate({"a": {"b": "x"}}), v.errors, v.normalized({"a": {"b": "3"}})
