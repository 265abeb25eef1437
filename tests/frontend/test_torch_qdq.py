"""PyTorch's own quantization: programs of PT2E and torchao mean what torch computes with them.

The flow itself (prepare, calibrate or train, convert) needs the package torchao.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.ao.quantization.fx import _decomposed

import hwgen
from hwgen.errors import ModelFileError, ProblemsError
from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import Integerized, integerize
from hwgen.verify.float_check import float_check

assert _decomposed, "imported for the operators that it registers"
pytestmark = pytest.mark.filterwarnings("ignore")
qdq = torch.ops.quantized_decomposed

BOUNDARY = 1e-4
"""Quantizer steps: what float32 sums of some tens of products of 8-bit integers are exact to."""


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """scikit-learn's 1,797 images of 8×8 pixels, 0 to 1, and their classes."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    found = datasets.load_digits()
    pixels = torch.tensor(found.data, dtype=torch.float32) / 16
    return pixels.reshape(-1, 1, 8, 8), torch.tensor(found.target)


@pytest.fixture(scope="module")
def pt2e() -> Any:
    """torchao's flow, or a skip."""
    return pytest.importorskip("torchao.quantization.pt2e", reason="torchao is not installed")


class ResidualCnn(nn.Module):
    """Convolutions with batch-norm, a residual sum, both kinds of pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second, self.norm_2 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.largest, self.mean = nn.MaxPool2d(2), nn.AvgPool2d(2)
        self.classes = nn.Linear(24, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x)))
        y = torch.relu(self.norm_2(self.second(x)) + x)
        out: torch.Tensor = self.classes(self.mean(self.largest(y)).flatten(1))
        return out


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def train(model: nn.Module, digits: tuple[torch.Tensor, torch.Tensor], steps: int) -> nn.Module:
    x, y = digits
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        batch = torch.randint(len(x), (128,), generator=generator)
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def xnnpack(*, per_channel: bool, qat: bool = False) -> Any:
    from torchao.testing.pt2e import _xnnpack_quantizer as found

    config = found.get_symmetric_quantization_config(is_per_channel=per_channel, is_qat=qat)
    return found.XNNPACKQuantizer().set_global(config)


def x86() -> Any:
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as found

    config = found.get_default_x86_inductor_quantization_config()
    return found.X86InductorQuantizer().set_global(config)


def quantized(
    model: nn.Module, digits: tuple[torch.Tensor, torch.Tensor], quantizer: Any, batch: int = 0
) -> torch.export.ExportedProgram:
    """After PT2E: calibrated on all frames; exported for a batch, or 0 for one of any size."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    x = digits[0]
    free = None if batch else ({0: torch.export.Dim("batch", max=1 << 20)},)
    plain = torch.export.export(model.eval(), (x[: batch or 8],), dynamic_shapes=free)
    prepared = prepare_pt2e(plain.module(), quantizer)
    prepared(x[: batch or len(x)])
    converted = convert_pt2e(prepared)
    return torch.export.export(converted, (x[: batch or 8],), dynamic_shapes=free)


def output_codes(program: torch.export.ExportedProgram, x: torch.Tensor) -> np.ndarray:
    """Torch's own integers behind the quantizer at the program's output."""
    (output,) = (node for node in program.graph.nodes if node.op == "output")
    scale, zero = output.args[0][0].args[1:3]
    with torch.no_grad():
        reals = program.module()(x).numpy().astype(np.float64)
    return np.rint(reals / scale).astype(np.int64) + zero


def imported(program: torch.export.ExportedProgram, folder: Path) -> Integerized:
    """What plain torch.export.save writes, through the front end."""
    torch.export.save(program, folder / "net.pt2")
    return integerize(load(folder / "net.pt2"))


def golden_codes(graph: Any, x: torch.Tensor) -> np.ndarray:
    found: np.ndarray = graph.evaluate(graph.input.encode(x.numpy()))
    return found


@pytest.fixture(scope="module")
def program(pt2e: Any, digits: Any) -> torch.export.ExportedProgram:
    torch.manual_seed(0)
    return quantized(train(mlp(), digits, 120), digits, xnnpack(per_channel=True))


@pytest.fixture(scope="module")
def cnn_program(pt2e: Any, digits: Any) -> torch.export.ExportedProgram:
    torch.manual_seed(1)
    model = train(ResidualCnn(), digits, 60)
    return quantized(model, digits, xnnpack(per_channel=True))


def check_codes(lowered: Integerized, program: Any, x: torch.Tensor) -> np.ndarray:
    """Golden codes, which are torch's but on frames where a quantizer's input lies on a rounding
    boundary, as near as float32 can tell: which side torch takes there depends on the processor."""
    graph = lowered.graph
    codes = golden_codes(graph, x)
    wrong = np.flatnonzero((codes != output_codes(program, x)).any(axis=1))
    assert len(wrong) <= len(x) // 200
    values = {graph.input.name: graph.input.encode(x[wrong].numpy())}
    near = np.zeros(len(wrong), bool)
    for one in graph.nodes[1:]:
        inputs = [values[name] for name in one.inputs]
        values[one.name] = one.evaluate(*inputs)
        if distance := lowered.distances.get(one.name):
            for at in np.ndindex(inputs[0].shape):
                near[at[0]] |= distance(int(inputs[0][at]), at[1]) <= BOUNDARY
    assert near.all()
    return codes


def test_an_mlp_of_pt2e_gives_torchs_codes(program: Any, digits: Any, tmp_path: Path) -> None:
    codes = check_codes(imported(program, tmp_path), program, digits[0])
    right = codes.argmax(axis=1) == digits[1].numpy()
    assert right.mean() > 0.9


def test_a_residual_cnn_of_pt2e_gives_torchs_codes(
    cnn_program: Any, digits: Any, tmp_path: Path
) -> None:
    lowered = imported(cnn_program, tmp_path)
    check_codes(lowered, cnn_program, digits[0])
    assert "add" in {node.op for node in lowered.graph.nodes}


def test_a_quantizer_that_changes_nothing_makes_no_hardware(
    cnn_program: Any, tmp_path: Path
) -> None:
    """PT2E puts one behind pooling, with the scale of the one before."""
    graph = imported(cnn_program, tmp_path).graph
    order = [node.op for node in graph.nodes]
    assert order[order.index("max_pool") + 1] == "sum_pool"


@pytest.mark.parametrize("per_channel", [False, True])
def test_programs_for_one_batch_size(
    pt2e: Any, digits: Any, per_channel: bool, tmp_path: Path
) -> None:
    torch.manual_seed(2)
    program = quantized(mlp(), digits, xnnpack(per_channel=per_channel), batch=64)
    x = digits[0][:64]
    assert np.array_equal(
        golden_codes(imported(program, tmp_path).graph, x), output_codes(program, x)
    )


def test_the_quantizer_of_x86_leaves_real_logits(pt2e: Any, digits: Any, tmp_path: Path) -> None:
    """Unsigned activations with zero point, and no quantizer at the output."""
    torch.manual_seed(3)
    program = quantized(mlp(), digits, x86())
    graph = imported(program, tmp_path).graph
    with torch.no_grad():
        want = program.module()(digits[0]).numpy()
    np.testing.assert_allclose(graph.output.logits(golden_codes(graph, digits[0])), want, atol=1e-5)


def test_programs_trained_with_quantization(pt2e: Any, digits: Any, tmp_path: Path) -> None:
    from torchao.quantization.pt2e import move_exported_model_to_eval as to_eval
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e

    torch.manual_seed(4)
    x = digits[0][:128]
    free = ({0: torch.export.Dim("batch", max=1 << 20)},)
    plain = torch.export.export(mlp(), (x,), dynamic_shapes=free).module()
    prepared = prepare_qat_pt2e(plain, xnnpack(per_channel=False, qat=True))
    trained = to_eval(train(prepared, digits, 20))
    program = torch.export.export(convert_pt2e(trained), (x,), dynamic_shapes=free)
    codes = golden_codes(imported(program, tmp_path).graph, digits[0])
    assert np.array_equal(codes, output_codes(program, digits[0]))


def test_decomposed_programs_mean_the_same(
    cnn_program: Any, program: Any, digits: Any, tmp_path: Path
) -> None:
    """run_decompositions writes addmm of a transposed weight, and pooling with indices."""
    for whole in (cnn_program, program):
        graph = imported(whole.run_decompositions(), tmp_path).graph
        x = digits[0][:200]
        assert np.array_equal(golden_codes(graph, x), output_codes(whole, x))


def test_saved_by_hwgen_a_program_brings_its_own_codes(
    cnn_program: Any, digits: Any, tmp_path: Path
) -> None:
    for name in ("a.pt", "b.pt"):
        hwgen.save(cnn_program, tmp_path / name, digits[0][:100])
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    real = load(tmp_path / "a.pt")
    checked = float_check(integerize(real), real.examples)
    assert checked is not None
    assert checked.frames == 64
    assert len(checked.quantizers) == 6
    elements = 64 + 3 * 6 * 64 + 24 + 10
    assert (checked.differ, checked.elements) == (0, 64 * elements)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["spatial", "folded"])
def test_rtl_of_pt2e_programs_gives_torchs_codes(
    program: Any, cnn_program: Any, digits: Any, style: str, tmp_path: Path
) -> None:
    from hwgen.pipeline import build
    from hwgen.request import PlanRequest
    from hwgen.verify.dataset import simulate_dataset

    whole = program if style == "spatial" else cnn_program
    torch.export.save(whole, tmp_path / "net.pt2")
    request = PlanRequest(board="kv260", style=style, target_fps=20_000)
    built = build(tmp_path / "net.pt2", tmp_path / "out", request)
    graph = integerize(load(tmp_path / "net.pt2")).graph
    stream = np.moveaxis(graph.input.encode(digits[0].numpy()), 1, -1)  # type: ignore[attr-defined]
    found = simulate_dataset(built.folder, stream.reshape(len(stream), -1), progress=False)
    assert np.array_equal(found.outputs, output_codes(whole, digits[0]))


class Steps(nn.Module):
    """Quantizes per tensor with scales as tensors, then per channel, with operators as written."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor([0.25]))
        self.register_buffer("zero", torch.tensor([3], dtype=torch.int32))
        self.register_buffer("scales", torch.tensor([0.5, 0.125]))
        self.register_buffer("zeros", torch.tensor([0, -7]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        codes = qdq.quantize_per_tensor.tensor(x, self.scale, self.zero, -128, 127, torch.int8)
        x = qdq.dequantize_per_tensor.tensor(codes, self.scale, self.zero, -128, 127, torch.int8)
        x = torch.tanh(x * 3) * 9
        args = (self.scales, self.zeros, 1, 0, 15, torch.uint8)
        out: torch.Tensor = qdq.dequantize_per_channel(qdq.quantize_per_channel(x, *args), *args)
        return out


class OtherScale(nn.Module):
    """Scales codes back with another scale and zero point than they were made with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        codes = qdq.quantize_per_tensor(x, 0.25, 3, -8, 7, torch.int8)
        out: torch.Tensor = qdq.dequantize_per_tensor(codes, 0.5, -1, -8, 7, torch.int8)
        return out


class LateWeight(nn.Module):
    """Quantizes its float weight and bias in the program, as convert_pt2e(fold_quantize=False)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.weight, self.bias = (nn.Parameter(torch.randn(*shape)) for shape in ((3, 2), (3,)))
        self.register_buffer("scales", torch.tensor([0.02, 0.05, 0.03]))
        self.register_buffer("zeros", torch.tensor([0, 2, -5]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        args = (0.125, 0, -128, 127, torch.int8)
        x = qdq.dequantize_per_tensor(qdq.quantize_per_tensor(x, *args), *args)
        channels = (self.scales, self.zeros, 0, -128, 127, torch.int8)
        weight = qdq.quantize_per_channel(self.weight, *channels)
        weight = qdq.dequantize_per_channel(weight, *channels)
        wide = (2.0**-16, 0, -(2**31), 2**31 - 1, torch.int32)
        bias = qdq.dequantize_per_tensor(qdq.quantize_per_tensor(self.bias, *wide), *wide)
        return nn.functional.linear(x, weight, bias)


@pytest.mark.parametrize("model", [Steps(), OtherScale(), LateWeight()], ids=lambda m: type(m))
def test_the_operators_mean_what_torch_computes(model: nn.Module, tmp_path: Path) -> None:
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(6))
    graph = imported(torch.export.export(model, (x,)), tmp_path).graph
    with torch.no_grad():
        want = model(x).numpy()
    np.testing.assert_allclose(graph.output.logits(golden_codes(graph, x)), want, atol=2e-6)


class Affine(nn.Module):
    """torchao's own operators: one block for all activations, one per row of the weight."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.register_buffer("codes", torch.randint(-8, 8, (3, 4), dtype=torch.int8))
        self.register_buffer("scales", torch.tensor([0.02, 0.05, 0.03]))
        self.register_buffer("scale", torch.tensor(0.3))
        self.register_buffer("zero", torch.tensor(5, dtype=torch.int32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ops, kind = torch.ops.torchao, torch.int8
        codes = ops.quantize_affine(x, [-1, -1], self.scale, self.zero, kind, -100, 100)
        x = ops.dequantize_affine(codes, [-1, -1], self.scale, self.zero, kind, -100, 100)
        weight = ops.dequantize_affine(self.codes, [1, 4], self.scales, None, kind, -8, 7)
        return nn.functional.linear(x, weight)


def test_the_operators_of_torchao_mean_what_torch_computes(pt2e: Any, tmp_path: Path) -> None:
    x = torch.randn(200, 4, generator=torch.Generator().manual_seed(8))
    program = torch.export.export(Affine(), (x,))
    assert any("torchao" in str(node.target) for node in program.graph.nodes)
    graph = imported(program, tmp_path).graph
    want = Affine()(x).numpy()
    np.testing.assert_allclose(graph.output.logits(golden_codes(graph, x)), want, atol=1e-5)


class Dynamic(nn.Module):
    """Scales computed from each batch, and codes used as numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale, zero = qdq.choose_qparams(x, 0, 255, 1e-6, torch.uint8)
        codes = qdq.quantize_per_tensor(x, 0.5, 0, 0, 255, torch.uint8)
        return torch.relu(codes) * scale + zero


def test_what_cannot_be_built_is_named_with_the_fix(tmp_path: Path) -> None:
    program = torch.export.export(Dynamic(), (torch.zeros(4, 2),))
    with pytest.raises(ProblemsError) as caught:
        imported(program, tmp_path)
    first, second = caught.value.problems
    assert "choose_qparams.tensor is not an operator that hwgen builds" in first.message
    assert "is_dynamic=False" in first.hint
    assert "self must be real numbers, not a quantizer's codes" in second.message


def test_only_the_batch_may_be_of_any_size(tmp_path: Path) -> None:
    sizes = ({1: torch.export.Dim("features", min=2, max=9)},)
    program = torch.export.export(OtherScale(), (torch.zeros(4, 4),), dynamic_shapes=sizes)
    with pytest.raises(ModelFileError, match="is of no fixed size") as caught:
        imported(program, tmp_path)
    assert "axis 0" in caught.value.hint
