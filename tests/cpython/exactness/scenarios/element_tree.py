"""Elements of a C extension with a parent in an attribute of a subclass."""

import xml.etree.ElementTree as ElementTree


class Element(ElementTree.Element):
    pass


def scenario():
    root = Element("root")
    child = Element("child", {"a": "1"})
    root.append(child)
    child.parent = root
