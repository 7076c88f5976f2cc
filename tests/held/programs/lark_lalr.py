from lark import Lark, UnexpectedInput


def once():
    parser = Lark('start: "a"* "b"', parser="lalr")
    try:
        parser.parse("aac")
    except UnexpectedInput as error:
        return str(parser.parse("aab")), error.column
