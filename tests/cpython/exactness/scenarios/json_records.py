"""Records of a parser with a link to their document."""

import json


class Document:
    pass


def scenario():
    document = Document()
    document.records = json.loads('[{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": [], "x": null}]')
    for record in document.records:
        record["document"] = document
