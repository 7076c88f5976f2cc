import colander


class S(colander.MappingSchema):
    a = colander.SchemaNode(colander.Int())
    b = colander.SchemaNode(colander.String(), missing="x")


def once():
    try:
        S().deserialize({"a": "x"})
    except colander.Invalid as e:
        return e.asdict(), S().deserialize({"a": "3"})
