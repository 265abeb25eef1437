"""From a saved model to the real graph: rows, names, errors, and the golden model against torch."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn

import hwgen
from hwgen import nn as q
from hwgen.errors import ModelError, UnsupportedError
from hwgen.frontend.save import _frozen
from hwgen.frontend.torch_export import load
from hwgen.frontend.torch_ops import TABLE
from hwgen.ir.real import RealGraph
from hwgen.ops.affine import RealAffine
from hwgen.ops.linear import RealLinear
from hwgen.ops.quantize import RealQuantize, RealSign
from hwgen.passes.integerize import integerize
from tests.models import settle, small_cnn, small_mlp

PREFIXES = ("aten.", "hwgen.", "quantized_decomposed.", "torchao.")


def imported(model: nn.Module, x: torch.Tensor, folder: Path) -> RealGraph:
    hwgen.save(model, folder / "model.pt", x)
    return load(folder / "model.pt")


def golden(graph: RealGraph, x: torch.Tensor) -> np.ndarray:
    """Real outputs of the integer graph, batch first."""
    integer = integerize(graph).graph
    codes = integer.evaluate(integer.input.encode(x.numpy()))
    return integer.output.logits(codes)


class DoubleWeight(nn.Module):
    """Stands for a frozen weight where torch shall compute in float64."""

    def __init__(self, view: q.IntegerView) -> None:
        super().__init__()
        self.value = view.codes.double() * view.scale.double()

    def forward(self, weight: None) -> torch.Tensor:
        return self.value


def in_double(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    """Torch's evaluation in float64 with the very constants that the file holds."""
    frozen = _frozen(model).double()
    for module in frozen.modules():
        if isinstance(module, q.QuantizedWeight):
            module.weight_quantizer = DoubleWeight(module.integer_weight)
    with torch.no_grad():
        return frozen(x.double()).numpy()


def check_against_torch(model: nn.Module, x: torch.Tensor, folder: Path) -> None:
    """Equal to float64 evaluation everywhere, to float32 but for values at a rounding boundary."""
    ours = golden(imported(model, x[:2], folder), x)
    with torch.no_grad():
        single = _frozen(model)(x).numpy()
    double = in_double(model, x)
    np.testing.assert_allclose(ours, double, rtol=1e-9, atol=1e-9)
    differing = (np.abs(ours - single) > 1e-4 * (1 + np.abs(ours))).any(axis=1)
    assert differing.mean() <= 0.02


def test_the_graph_holds_the_models_numbers_under_its_modules_names(tmp_path: Path):
    model = small_mlp()
    graph = imported(model, torch.zeros(1, 12), tmp_path)
    nodes = {node.name: node for node in graph.nodes}
    assert graph.name == "model"
    assert [type(n).__name__ for n in graph.nodes[:4]] == [
        "RealInput",
        "RealQuantize",
        "RealLinear",
        "RealAffine",
    ]
    first = nodes["linear_1"]
    assert isinstance(first, RealLinear)
    np.testing.assert_array_equal(first.weight.values.values, model[1].codes.numpy())
    assert [float(s) for s in first.weight.scale] == model[1].scale.flatten().tolist()
    assert first.weight.alphabet.levels == (-1, 1)
    assert str(first.origin) == "1"
    act = nodes["quantize_3"]
    assert isinstance(act, RealQuantize)
    assert (act.lo, act.hi, act.zero_point, act.rounding) == (0, 3, (0,), "half_even")
    assert float(act.step[0]) == model[3].quantizer.step.settled().item()
    assert isinstance(nodes["sign_6"], RealSign)
    assert len(nodes["linear_4"].bias) == 8


def test_the_golden_model_is_torchs_evaluation(tmp_path: Path):
    check_against_torch(small_mlp(), torch.randn(500, 12), tmp_path)


def test_a_convolutional_network_means_the_same_as_in_torch(tmp_path: Path):
    check_against_torch(small_cnn(), torch.rand(200, 2, 8, 8), tmp_path)


WEIGHTS = st.sampled_from(
    [
        q.Binary(),
        q.Binary("mean"),
        q.Ternary(per_channel=True),
        q.Shift(3),
        q.Shift(3, zero=True),
        q.Shift(2, per_channel=True),
        q.Int(4),
        q.Int(3, step="power_of_two"),
        q.Int(8),
    ]
)
ACTS = st.sampled_from(
    [
        q.Binary(),
        q.UInt(1),
        q.UInt(2),
        q.UInt(4),
        q.SInt(3),
        q.SInt(4, step="power_of_two"),
        q.UInt(3, step=0.25, zero_point=2),
        q.SInt(2, narrow=True),
    ]
)


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    widths=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    weights=st.lists(WEIGHTS, min_size=3, max_size=3),
    acts=st.lists(ACTS, min_size=3, max_size=3),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_random_networks_mean_the_same_as_in_torch(
    tmp_path_factory: pytest.TempPathFactory, widths, weights, acts, bias, seed
):
    torch.manual_seed(seed)
    layers: list[nn.Module] = [q.QuantIdentity(acts[0])]
    for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
        norm = nn.BatchNorm1d(fan_out)
        nn.init.normal_(norm.weight)  # negative gains turn thresholds around
        nn.init.normal_(norm.bias)
        layers += [q.QuantLinear(fan_in, fan_out, bias=bias, weight=weights[i]), norm]
        layers += [q.QuantAct(acts[(i + 1) % 3])]
    layers.pop()
    x = torch.randn(100, widths[0])
    model = settle(nn.Sequential(*layers), x)
    check_against_torch(model, x, tmp_path_factory.mktemp("net"))


class Arithmetic(nn.Module):
    """Constants on either side, scalars and tensors, in place and not."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, -0.25, 0.125]))
        self.act = q.QuantAct(q.SInt(6, step=1 / 8))
        self.out = q.QuantIdentity(q.SInt(8, step=1 / 64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act((x - self.mean) / 0.5)
        y = 3 - x * self.mean[None] + 1
        y = -(2 * y).clamp(min=-3) + torch.ones(1)
        return self.out(nn.functional.relu6(nn.functional.hardtanh(y, -2, 5)) - 2)


class Residual(nn.Module):
    """Two branches of one quantizer, summed and subtracted."""

    def __init__(self) -> None:
        super().__init__()
        self.act = q.QuantAct(q.SInt(4, step=0.5))
        self.fc = q.QuantLinear(6, 6, bias=False, weight=q.Shift(2, scale=0.25))
        self.out = q.QuantLinear(6, 3, weight=q.Ternary())
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(x.flatten(1))
        y = self.act(self.fc(x))
        return self.out(self.drop(self.act(x + y) - y).contiguous().view(x.shape[0], 6))


@pytest.mark.parametrize(("make", "shape"), [(Arithmetic, (3,)), (Residual, (2, 3))])
def test_arithmetic_between_layers_means_the_same(tmp_path: Path, make, shape: tuple[int, ...]):
    torch.manual_seed(5)
    x = torch.randn(300, *shape)
    model = settle(make(), x)
    graph = imported(model, x[:2], tmp_path)
    ours = golden(graph, x)
    np.testing.assert_allclose(ours, in_double(model, x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "head",
    [
        lambda y: y.argmax(1),
        lambda y: y.argmax(-1, keepdim=True),
        lambda y: y.max(1)[1],
        lambda y: y.topk(1)[1],
        lambda y: y.topk(3, dim=1)[1],
    ],
)
def test_class_indices_are_torchs(tmp_path: Path, head):
    class Headed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = small_mlp()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return head(self.body(x))

    model, x = Headed(), torch.randn(200, 12)
    graph = integerize(imported(model, x[:2], tmp_path)).graph
    ours = graph.evaluate(graph.input.encode(x.numpy()))
    theirs = model.eval()(x).numpy().reshape(len(x), -1)
    assert graph.output.index
    assert (ours == theirs).all(axis=1).mean() >= 0.98  # but for equal logits in float32


def test_batch_norm_is_exact_and_not_rounded_to_float(tmp_path: Path):
    model = small_mlp()
    graph = imported(model, torch.zeros(1, 12), tmp_path)
    (first, _) = (n for n in graph.nodes if isinstance(n, RealAffine))
    norm = model[2].double()
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    assert [float(s) for s in first.scale] == pytest.approx(gain.tolist(), rel=1e-15)


class Unsupported(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.act = q.QuantAct(q.UInt(4, step=0.1))
        self.plain = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(x)
        a, b = self.plain(x), torch.softmax(x, 1)
        return self.norm(self.act(a * b)) + self.act(torch.fft.fft(x).real)


def test_all_unsupported_operations_are_named_at_once_with_place_and_fix(tmp_path: Path):
    hwgen.save(Unsupported(), tmp_path / "model.pt", torch.zeros(1, 4))
    with pytest.raises(UnsupportedError) as caught:
        load(tmp_path / "model.pt")
    text = str(caught.value)
    assert "3 operations of the network cannot be built" in text
    assert "missing quantizer: the weight is float at plain (test_torch_export.py:" in text
    assert "fix: use QuantLinear or QuantConv2d of hwgen.nn" in text
    assert "aten.softmax.int is not an operator that hwgen builds" in text
    assert "fix: leave the softmax to the host" in text
    assert "aten.fft_fft.default" in text
    assert "layer_norm" not in text, "what depends on a reported operation is not reported"


class Applied(nn.Module):
    """A quantizer, then one function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.act = q.QuantAct(q.UInt(4, step=0.1))
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self.act(x))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x * x, "a product must be of one tensor and a constant"),
        (lambda x: 1 / x, r"aten\.reciprocal\.default is not an operator"),
        (lambda x: x / 0, "a divisor must be a constant other than zero"),
        (lambda x: torch.add(x, x, alpha=2), "alpha of a sum of two tensors must be 1 or -1"),
        (lambda x: x.reshape(-1), "a reshape must keep the batch on axis 0"),
        (lambda x: x.argmax(0), r"over the features \(dim=1\)"),
        (lambda x: x.topk(2, largest=False)[1], "topk must be of the largest, sorted"),
        (lambda x: x + torch.ones(2, 4).cumsum(0), "aten.cumsum"),
        (lambda x: nn.functional.batch_norm(x, None, None, training=True), "running statistics"),
        (lambda x: nn.functional.dropout(x, training=True), "dropout must be in eval mode"),
        (lambda x: x.view(2, 2, 2) * torch.tensor([[1.0, 2.0]]), "one value per channel"),
    ],
)
def test_an_unsupported_form_is_refused(tmp_path: Path, function, text: str):
    with pytest.raises(ModelError, match=text):
        imported(Applied(function), torch.zeros(2, 4), tmp_path)


def test_a_network_of_two_outputs_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="one input and one output, not 1 and 2"):
        imported(Applied(lambda x: (x, -x)), torch.zeros(2, 4), tmp_path)


def test_constants_that_are_not_finite_are_refused(tmp_path: Path):
    """Archives of plain torch.export may hold them; hwgen.save refuses earlier."""
    model = _frozen(small_mlp())
    model[4].bias.data[0] = float("nan")
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(model, (torch.zeros(1, 12),)), buffer)
    (tmp_path / "model.pt").write_bytes(buffer.getvalue())
    with pytest.raises(ModelError, match=r"bias must be finite[\s\S]*at: 4"):
        load(tmp_path / "model.pt")


def test_every_row_is_in_the_operators_page():
    page = (Path(__file__).parents[2] / "docs" / "operators.md").read_text()
    listed = {word for word in page.split("`") if word.startswith(PREFIXES)}
    assert listed == set(TABLE)
