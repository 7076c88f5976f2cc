from rdflib import Graph, URIRef, Literal


def once():
    g = Graph()
    g.add((URIRef("urn:a"), URIRef("urn:b"), Literal(1)))
    g.bind("x", "urn:")
    return len(g), [int(r.o) for r in g.query("select ?o where {?s ?p ?o}")], "urn" in g.serialize()
