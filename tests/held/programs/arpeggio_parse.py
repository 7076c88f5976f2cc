from arpeggio import ParserPython, ZeroOrMore, EOF, RegExMatch


def number():
    return RegExMatch(r"\d+")


def total():
    return number, ZeroOrMore("+", number), EOF


def once():
    parser = ParserPython(total)
    return str(parser.parse("1+2+3"))
