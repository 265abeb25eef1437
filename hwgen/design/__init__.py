"""From a scheduled graph to one accelerator of streams."""
