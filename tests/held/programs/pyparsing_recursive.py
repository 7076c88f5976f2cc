import pyparsing as pp


def once():
    expr = pp.Forward()
    item = pp.Word(pp.nums) | pp.Group("(" + expr + ")")
    expr <<= item + pp.ZeroOrMore(pp.one_of("+ -") + item)
    return expr.parse_string("1+(2-(3+4))").as_list()
