from genshi.template import MarkupTemplate


def once():
    t = MarkupTemplate("<p xmlns:py='http://genshi.edgewall.org/'><b py:for='x in xs'>$x</b></p>")
    return t.generate(xs=[1, 2]).render()
