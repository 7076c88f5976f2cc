import html5lib


def once():
    tree = html5lib.parse("<p>a<b>c</b>", treebuilder="dom")
    b = tree.getElementsByTagName("b")[0]
    return b.parentNode.tagName, tree.toxml()
