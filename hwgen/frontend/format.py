"""What `hwgen.save` adds to a torch.export archive, known to writer and reader."""

FORMAT_FILE = "extra/hwgen.json"
"""An entry with the JSON fields ``format``, ``hwgen`` (a version) and ``input`` (a shape)."""

FORMAT_VERSION = 1
"""Raised whenever an older reader would misread a newer file."""
