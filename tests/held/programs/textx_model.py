from textx import metamodel_from_str


def once():
    meta = metamodel_from_str("Model: things+=Thing; Thing: 'thing' name=ID ('of' owner=[Thing])?;")
    model = meta.model_from_str("thing a thing b of a")
    return [(t.name, t.owner.name if t.owner else None, t.parent is model) for t in model.things]
