from bs4 import BeautifulSoup


def once():
    soup = BeautifulSoup("<div><p class=a>x<b>y</b></p><p>z</p></div>", "html.parser")
    return [p.get_text() for p in soup.find_all("p")], soup.b.parent.name, soup.b.find_next("p").text
