"""A document of which each element is in the program's hands."""

from lxml import etree

ROW = "<row id='%d'><name>n%d</name><value unit='s'>%d</value><list><item/><item/></list></row>"


class Row:
    def __init__(self, element):
        self.element = element
        self.name = element.find("name")
        self.attributes = element.attrib


document = etree.fromstring("<all>%s</all>" % "".join(ROW % (number, number, number) for number in range(40_000)))
elements = list(document.iter())
table = [Row(element) for element in document]
