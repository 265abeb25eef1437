"""Whatever must see several nodes: Graph to Graph, each leaving it valid."""
