"""Small tensors train fastest on one thread."""

from tests.nn.conftest import _one_thread

__all__ = ["_one_thread"]
