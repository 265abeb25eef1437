"""The custom operators pass torch's own checks and compute what their names say."""

import pytest
import torch

from hwgen.nn import graph_ops


def test_torch_accepts_the_operators():
    x, one = torch.randn(2, 3), torch.tensor(1.0)
    codes = torch.tensor([[1, -1]], dtype=torch.int8)
    checks = ("test_schema", "test_faketensor")
    torch.library.opcheck(graph_ops.sign, (x, one), test_utils=checks)
    torch.library.opcheck(graph_ops.weight, (codes, one, [-1, 1]), test_utils=checks)
    arguments = (x, one, torch.tensor(0.0), 0, 3, "half_even")
    torch.library.opcheck(graph_ops.quantize, arguments, test_utils=checks)


def test_another_rounding_is_refused_and_not_ignored():
    one = torch.tensor(1.0)
    with pytest.raises(ValueError, match="rounding must be half_even, not floor"):
        torch.ops.hwgen.quantize(one, one, one, 0, 3, "floor")
