import formencode


class S(formencode.Schema):
    a = formencode.validators.Int()


def once():
    try:
        S().to_python({"a": "x"})
    except formencode.Invalid as e:
        return str(e), S().to_python({"a": "3"}), sorted(e.error_dict)
