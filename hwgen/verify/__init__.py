"""Simulation and synthesis of a built project, against the golden model and the estimate."""
