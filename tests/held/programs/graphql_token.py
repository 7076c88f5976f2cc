from graphql import parse


def location():
    return parse("{ a { b } }").definitions[0].loc


def once():
    l = location()
    return l.start_token.next.kind.value, l.end_token.prev.kind.value, l.source.body
