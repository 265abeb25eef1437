"""Figures before synthesis: resources, latency and frames per second, layer by layer."""
