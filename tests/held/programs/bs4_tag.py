from bs4 import BeautifulSoup


def tag():
    return BeautifulSoup("<div><p class=a>x<b>y</b></p><p>z</p></div>", "html.parser").b


def once():
    b = tag()
    return b.parent.name, b.find_next("p").text, [t.name for t in b.parents]
