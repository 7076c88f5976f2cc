from docutils.core import publish_doctree


def once():
    tree = publish_doctree("A\n=\n\ntext *b*\n")
    node = next(iter(tree.findall(lambda n: n.tagname == "emphasis")))
    return node.parent.tagname, node.document is tree, tree.pformat()
