from graphql import parse, print_ast, visit, Visitor


class V(Visitor):
    def __init__(self):
        super().__init__()
        self.n = []

    def enter_field(self, node, *_):
        self.n.append((node.name.value, node.loc.start, node.loc.start_token.next.kind.value))


def once():
    d = parse("{ a { b } }")
    v = V()
    visit(d, v)
    return v.n, print_ast(d)
