from chameleon import PageTemplate


def once():
    return PageTemplate("<p tal:repeat='x xs'>${x} ${repeat.x.index}</p>").render(xs=[1, 2])
