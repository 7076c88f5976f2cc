"""Paths and centrality in a random graph."""

import networkx as nx

graph = nx.gnm_random_graph(700, 4200, seed=1)
print(sum(nx.betweenness_centrality(graph, k=60, seed=1).values()) > 0, nx.number_connected_components(graph))
