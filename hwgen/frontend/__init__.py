"""From model files to a real-valued graph. Only `hwgen.frontend.save` imports torch."""
