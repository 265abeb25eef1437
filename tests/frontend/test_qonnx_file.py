"""Hostile and broken ONNX files: one clear error each, before memory is spent on them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hwgen.errors import HwgenError, ModelError, ModelFileError, UnsupportedError
from hwgen.frontend import qonnx
from hwgen.frontend.qonnx_file import read


def plain() -> ModelProto:
    """x -> Quant -> Relu, and a constant that is used."""
    quant = helper.make_node(
        "Quant", ["x", "s", "z", "b"], ["q"], "first", domain="qonnx.custom_op.general"
    )
    relu = helper.make_node("Relu", ["q"], ["y"], "last")
    constants = [
        numpy_helper.from_array(np.array(v, np.float32), n)
        for n, v in (("s", 0.5), ("z", 0), ("b", 4))
    ]
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    sink = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph([quant, relu], "net", [source], [sink], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def saved(folder: Path, change: Callable[[ModelProto], object] = lambda m: None) -> Path:
    model = plain()
    change(model)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    model = read(saved(tmp_path))
    assert [node.op for node in model.nodes] == ["Quant", "Relu"]
    assert model.input.dims == (1, 4)


def _add(node: NodeProto) -> Callable[[ModelProto], object]:
    return lambda model: model.graph.node.append(node)


def _cycle(model: ModelProto) -> None:
    model.graph.node[0].input[0] = "loop"
    model.graph.node.append(helper.make_node("Add", ["y", "x"], ["loop"], "back"))


def _huge(model: ModelProto) -> None:
    model.graph.initializer[0].dims.extend([1 << 40, 1 << 20])


def _negative(model: ModelProto) -> None:
    model.graph.initializer[0].dims.append(-4)


def _short(model: ModelProto) -> None:
    model.graph.initializer[0].dims.append(7)


def _drop(model: ModelProto) -> None:
    del model.graph.initializer[0]


def _outside(location: str) -> Callable[[ModelProto], object]:
    def change(model: ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)

    return change


BROKEN = {
    "cyclic": (_cycle, "cyclic, .*first"),
    "huge": (_huge, "more than .* elements"),
    "negative": (_negative, "more than .* elements"),
    "short": (_short, "'s' cannot be read: its bytes do not fill its shape"),
    "missing": (_drop, "first reads 's', which is no input"),
    "twice": (_add(helper.make_node("Relu", ["x"], ["y"])), "'y' is made twice"),
    "parent": (_outside("../secret.bin"), "must lie beside the model"),
    "absolute": (_outside("/etc/passwd"), "must lie beside the model"),
    "absent": (_outside("weights.bin"), "cannot be read"),
    "no graph": (lambda m: m.ClearField("graph"), "holds no graph"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_contradicts_itself_is_refused(case: str, tmp_path: Path) -> None:
    change, message = BROKEN[case]
    with pytest.raises(ModelFileError, match=message) as caught:
        read(saved(tmp_path, change))
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 4)
    (folder / "weights.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(ModelFileError, match="must lie beside the model"):
        read(saved(folder, _outside("weights.bin")))


def test_external_data_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(np.float32(0.25).tobytes())
    assert read(saved(tmp_path, _outside("weights.bin"))).constants["s"] == np.float32(0.25)


@pytest.mark.parametrize("size", [0, 1, 40, 100, -1])
def test_truncated_files_are_refused(size: int, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelFileError, match="damaged model file"):
        read(path)


@pytest.mark.parametrize("data", [b"hello world", b"PK\x03\x04" + b"\0" * 99, b"\xff" * 200])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="damaged model file"):
        read(path)


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(ModelFileError, match="cannot be read"):
            read(path)


def test_every_damaged_byte_gives_an_error_of_ours_or_a_model(tmp_path: Path) -> None:
    data = saved(tmp_path).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "model.onnx"
    for _ in range(600):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            broken[at] = rng.integers(0, 256)
        path.write_bytes(bytes(broken))
        with contextlib.suppress(HwgenError):
            qonnx.load(path)


def _messages(count: int) -> bytes:
    """A model whose graph holds ``count`` empty nodes, of two bytes each."""
    graph = b"\x0a\x00" * count
    size, encoded = len(graph), b""
    while size > 127:
        encoded, size = encoded + bytes([size & 127 | 128]), size >> 7
    return b"\x3a" + encoded + bytes([size]) + graph


def test_a_file_of_millions_of_empty_nodes_costs_no_memory(tmp_path: Path) -> None:
    """protobuf would allocate gigabytes for it: a limit on memory proves that it never runs."""
    path = tmp_path / "model.onnx"
    path.write_bytes(_messages(20_000_000))
    code = (
        "import resource, sys, onnx\n"
        "from hwgen.errors import ModelFileError\n"
        "from hwgen.frontend.qonnx_file import read\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)\n"
        "try:\n    read(sys.argv[1])\n"
        "except ModelFileError as error:\n    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "more than 500,000 parts" in done.stdout


def test_nesting_is_bounded(tmp_path: Path) -> None:
    data = b""
    for _ in range(60):  # node 1 > attribute 5 > graph 6, again and again
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            size, encoded = len(data), b""
            while size > 127:
                encoded, size = encoded + bytes([size & 127 | 128]), size >> 7
            data = tag + encoded + bytes([size]) + data
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3a" + bytes([len(data) & 127 | 128, len(data) >> 7]) + data)
    with pytest.raises(ModelFileError, match="nested too deep"):
        read(path)


def test_nodes_in_any_order_are_sorted(tmp_path: Path) -> None:
    def swap(model: ModelProto) -> None:
        nodes = list(model.graph.node)[::-1]
        del model.graph.node[:]
        model.graph.node.extend(nodes)

    assert [node.op for node in read(saved(tmp_path, swap)).nodes] == ["Quant", "Relu"]


def test_several_outputs_are_refused(tmp_path: Path) -> None:
    extra = helper.make_tensor_value_info("q", TensorProto.FLOAT, [1, 4])
    with pytest.raises(UnsupportedError, match="one output, not 2"):
        read(saved(tmp_path, lambda m: m.graph.output.append(extra)))


def _input_dims(*dims: int | str) -> Callable[[ModelProto], object]:
    def change(model: ModelProto) -> None:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)
        model.graph.input[0].CopyFrom(value)

    return change


@pytest.mark.parametrize("dims", [(4,), ("n", "m"), (1, 0), ()])
def test_an_input_of_unknown_size_is_refused(dims: tuple[int | str, ...], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="must have the batch on axis 0"):
        qonnx.load(saved(tmp_path, _input_dims(*dims)))


def test_a_symbolic_batch_is_one_frame(tmp_path: Path) -> None:
    assert len(qonnx.load(saved(tmp_path, _input_dims("batch", 4))).nodes) == 4


def test_a_huge_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="at most"):
        qonnx.load(saved(tmp_path, _input_dims(1, 1 << 40)))


def test_a_huge_constant_is_not_made(tmp_path: Path) -> None:
    """A shape of a few bytes that stands for an exabyte."""

    def change(model: ModelProto) -> None:
        shape = numpy_helper.from_array(np.array([1 << 30, 1 << 30], np.int64), "shape")
        model.graph.initializer.append(shape)
        model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["big"], "splat"))

    with pytest.raises(UnsupportedError, match="a constant must have at most"):
        qonnx.load(saved(tmp_path, change))
