"""Reading archives without torch: what they hold, and one clear error for each bad file."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import hwgen
from hwgen.errors import ModelFileError
from hwgen.frontend import archive, container
from hwgen.frontend.archive import TensorRef, read
from tests.models import small_mlp


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "model.pt"
    hwgen.save(small_mlp(), path, torch.zeros(1, 12))
    return path


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of an archive with some entries changed."""
    with zipfile.ZipFile(source) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    change(entries)
    with zipfile.ZipFile(target, "w") as new:
        for name, data in entries.items():
            new.writestr(name, data)
    return target


def in_json(entry: str, change: Callable[[dict], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(entries: dict[str, bytes]) -> None:
        value = json.loads(entries[entry])
        change(value)
        entries[entry] = json.dumps(value).encode()

    return apply


def torch_archive(path: Path, model: nn.Module, *inputs: torch.Tensor) -> Path:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(model.eval(), inputs), buffer)
    path.write_bytes(buffer.getvalue())
    return path


def test_nodes_tensors_and_shapes_are_those_of_the_model(model_file: Path):
    model = small_mlp()
    found = read(model_file)
    assert found.hwgen_format == 1
    assert [found.shapes[name] for name in found.inputs] == [(1, 12)]
    assert [found.shapes[name] for name in found.outputs] == [(1, 4)]
    linear = next(n for n in found.nodes if n.target == "aten.linear.default")
    weight = next(n for n in found.nodes if n.target == "hwgen.weight.default")
    assert linear.inputs["weight"] == TensorRef(weight.outputs[0])
    assert linear.origin.path == "1"
    assert weight.inputs["alphabet"] == (-1, 1)
    codes = found.tensors[weight.inputs["codes"].name]
    np.testing.assert_array_equal(codes, model[1].codes.numpy())
    assert codes.dtype == np.int8
    assert not codes.flags.writeable
    assert found.names[weight.inputs["scale"].name] == "1.weight_quantizer.scale"
    scale = found.tensors[weight.inputs["scale"].name]
    np.testing.assert_array_equal(scale, model[1].scale.numpy())


def test_reading_needs_no_torch(model_file: Path):
    script = (
        "import sys; from hwgen.frontend.archive import read; read(sys.argv[1]);"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(model_file)], check=True)


class Mixed(nn.Module):
    """Tensors of many types and layouts, and arguments of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
        self.strided = nn.Parameter(base.t()[1:4])
        self.register_buffer("halves", torch.tensor([1.5, -2.0], dtype=torch.float16))
        self.register_buffer("brain", torch.tensor([1.5, 3e38], dtype=torch.bfloat16))
        self.register_buffer("doubles", torch.tensor([1e300], dtype=torch.float64))
        self.register_buffer("flags", torch.tensor([True, False]))
        self.register_buffer("longs", torch.tensor([2**62, -1]))
        self.register_buffer("hidden", torch.zeros(2, 0), persistent=False)

    def forward(self, x: torch.Tensor, unused: torch.Tensor) -> tuple[torch.Tensor, ...]:
        y = x @ self.strided + self.halves.sum() + self.brain[0].float() + self.longs[1]
        y = y.clamp(min=-float("inf")) * self.doubles.to(torch.float32) + self.hidden.sum()
        return torch.where(self.flags[0], y, -y), y.view(-1), y.topk(2, dim=1)[1]


@pytest.mark.filterwarnings("ignore:No complete tensor found")
def test_archives_of_plain_torch_are_read(tmp_path: Path):
    model = Mixed()
    path = torch_archive(tmp_path / "plain.pt2", model, torch.ones(2, 3), torch.ones(1))
    found = read(path)
    assert found.hwgen_format is None
    assert len(found.inputs) == 2
    assert len(found.outputs) == 3
    by_name = {found.names[value]: array for value, array in found.tensors.items()}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        wide = tensor.detach()
        wide = wide.float() if wide.dtype in (torch.float16, torch.bfloat16) else wide
        np.testing.assert_array_equal(by_name[name], wide.numpy(), err_msg=name)
        assert by_name[name].dtype == wide.numpy().dtype
    clamp = next(n for n in found.nodes if n.target.startswith("aten.clamp"))
    assert clamp.inputs["min"] == -float("inf")
    assert clamp.origin.source.startswith("test_archive.py:")
    topk = next(n for n in found.nodes if n.target.startswith("aten.topk"))
    assert len(topk.outputs) == 2


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("the pickle was loaded",))


def torch_saved(path: Path, value: object, **options: bool) -> None:
    torch.save(value, path, **options)


def scripted(path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)


ONNX = bytes([0x08, 0x07, 0x12, 0x07]) + b"pytorch\x1a\x031.9:\x10"

OTHER_FILES = [
    (lambda p: p.write_bytes(b""), "is empty"),
    (lambda p: p.write_bytes(b"PK"), "truncated or damaged model file: it has 2 bytes"),
    (lambda p: p.write_bytes(b"hello world, this is text"), "is not a torch.export archive"),
    (lambda p: p.write_bytes(pickle.dumps(Bomb())), "is a pickle, which hwgen never loads"),
    (lambda p: p.write_bytes(pickle.dumps(Bomb(), 0)), "is a pickle, which hwgen never loads"),
    (lambda p: p.write_bytes(b"cos\nsystem\n(S'true'\ntR."), "is a pickle"),
    (
        lambda p: torch_saved(p, {"a": torch.ones(1)}, _use_new_zipfile_serialization=False),
        "is a pickle",
    ),
    (lambda p: torch_saved(p, nn.Linear(2, 2)), r"pickled module or state dict \(torch.save\)"),
    (lambda p: torch_saved(p, small_mlp().state_dict()), "pickled module or state dict"),
    (lambda p: torch_saved(p, Bomb), "pickled module or state dict"),
    (scripted, "is a TorchScript archive"),
    (lambda p: p.write_bytes(ONNX), r"is an ONNX model[\s\S]*ending .onnx"),
    (lambda p: zipfile.ZipFile(p, "w").close(), "is not a torch.export archive"),
    (lambda p: p.mkdir(), "cannot be read"),
    (lambda p: None, r"cannot be read: No such file"),
]


@pytest.mark.parametrize(("write", "text"), OTHER_FILES)
def test_a_file_of_another_kind_says_what_it_is_and_what_to_do(tmp_path: Path, write, text: str):
    path = tmp_path / "model.pt"
    write(path)
    with pytest.raises(ModelFileError, match=text) as caught:
        read(path)
    assert caught.value.hint


def test_every_truncation_is_a_clear_error(model_file: Path, tmp_path: Path):
    data = model_file.read_bytes()
    path = tmp_path / "model.pt"
    for size in (3, 40, 1000, len(data) // 2, len(data) - 200, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(ModelFileError, match=r"truncated|damaged"):
            read(path)


def test_flipped_bits_are_noticed(model_file: Path, tmp_path: Path):
    data = bytearray(model_file.read_bytes())
    path = tmp_path / "model.pt"
    caught = 0
    for position in range(0, len(data), len(data) // 60):
        data[position] ^= 0x10
        path.write_bytes(data)
        try:
            read(path)
        except ModelFileError:
            caught += 1
        data[position] ^= 0x10
    assert caught > 10


ROOT = "archive/"
MODEL = ROOT + "models/model.json"
WEIGHTS = ROOT + "data/weights/model_weights_config.json"


def set_entry(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda entries: entries.update({name: data})


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda entries: entries.pop(name)


def every_weight(change: Callable[[dict], None]) -> Callable[[dict[str, bytes]], None]:
    return in_json(WEIGHTS, lambda v: [change(entry) for entry in v["config"].values()])


def first_node(key: str, value: object) -> Callable[[dict[str, bytes]], None]:
    return in_json(MODEL, lambda v: v["graph_module"]["graph"]["nodes"][0].update({key: value}))


BAD_ENTRIES = [
    (set_entry(ROOT + "archive_version", b"9"), "not torch archive 'pt2', version '9'"),
    (set_entry(ROOT + "archive_format", b"pt9"), "not torch archive 'pt9'"),
    (set_entry(ROOT + "byteorder", b"big"), "not a big-endian archive"),
    (set_entry(ROOT + "extra/hwgen.json", b'{"format": 2}'), "not hwgen model format 2"),
    (set_entry(ROOT + "extra/hwgen.json", b"[]"), "extra/hwgen.json must be an object"),
    (in_json(MODEL, lambda v: v["schema_version"].update(major=7)), "not torch.export schema 7"),
    (without(MODEL), "models/model.json is missing"),
    (set_entry(MODEL, b"{"), "models/model.json is not valid JSON"),
    (set_entry(MODEL, b"[" * 100_000), "models/model.json is not valid JSON"),
    (set_entry(MODEL, b"{}"), "has no schema_version"),
    (without(WEIGHTS), "is missing"),
    (without(ROOT + "data/weights/weight_0"), "data/weights/weight_0 is missing"),
    (set_entry(ROOT + "data/weights/weight_0", b"1234"), "exceeds its 1 elements"),
    (set_entry(ROOT + "data/weights/weight_0", b"123"), "no whole number of float32"),
    (every_weight(lambda e: e.update(use_pickle=True)), "as a pickle, which hwgen never loads"),
    (every_weight(lambda e: e["tensor_meta"].update(dtype=29)), "which hwgen does not read"),
    (every_weight(lambda e: e["tensor_meta"].update(layout=1)), "which hwgen does not read"),
    (every_weight(lambda e: e["tensor_meta"].update(sizes=[{"as_int": -1}])), "at least 0"),
    (
        every_weight(lambda e: e["tensor_meta"].update(sizes=[{"as_int": 10**30}])),
        "exceeds its",
    ),
    (
        every_weight(
            lambda e: e["tensor_meta"].update(sizes=[{"as_int": 10**9}], strides=[{"as_int": 0}])
        ),
        "repeats its elements",
    ),
    (
        every_weight(
            lambda e: e["tensor_meta"].update(
                sizes=[{"as_int": 9}] * 2, strides=[{"as_int": 0}] * 2
            )
        ),
        "repeats its elements",
    ),
    (
        in_json(
            MODEL,
            lambda v: v["graph_module"]["graph"]["tensor_values"]["linear"].update(
                sizes=[{"as_int": 10**9}] * 2
            ),
        ),
        "the value linear of shape .* is unreasonably large",
    ),
    (
        every_weight(lambda e: e["tensor_meta"].update(sizes=[{"as_expr": {"expr_str": "s0"}}])),
        "is a symbolic size",
    ),
    (first_node("target", 3), r"nodes\[0\]\.target must be a string"),
    (first_node("inputs", None), r"nodes\[0\]\.inputs must be a list"),
    (
        first_node("inputs", [{"name": "x", "arg": {"as_tensor": {"name": "nowhere"}}}]),
        "uses the undefined value nowhere",
    ),
    (first_node("inputs", [{"name": "x", "arg": {}}]), "must have one field"),
    (set_entry("../evil", b""), "points outside the archive"),
    (set_entry("/evil", b""), "points outside the archive"),
    (set_entry("other/data", b""), "more than one root folder"),
]


@pytest.mark.parametrize(("change", "text"), BAD_ENTRIES)
def test_an_archive_that_contradicts_itself_is_refused(
    model_file: Path, tmp_path: Path, change, text: str
):
    path = rewritten(model_file, tmp_path / "model.pt", change)
    with pytest.raises(ModelFileError, match=text) as caught:
        read(path)
    assert caught.value.hint


def test_an_entry_that_occurs_twice_is_refused(model_file: Path, tmp_path: Path):
    path = tmp_path / "model.pt"
    path.write_bytes(model_file.read_bytes())
    with (
        zipfile.ZipFile(path, "a") as file,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        file.writestr(MODEL, b"{}")
    with pytest.raises(ModelFileError, match="occurs twice"):
        read(path)


def test_zip_bombs_are_refused_before_they_unpack(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "model.pt"
    path.write_bytes(model_file.read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr(ROOT + "data/weights/weight_99", bytes(64 << 20))
    with pytest.raises(ModelFileError, match="unpacks to 67108864 bytes"):
        read(path)
    monkeypatch.setattr(container, "TOTAL_LIMIT", 1000)
    with pytest.raises(ModelFileError, match="unpack to more than"):
        read(model_file)


def test_a_deflated_archive_is_as_good_as_a_stored_one(model_file: Path, tmp_path: Path):
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(model_file) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)
    ours, theirs = read(path), read(model_file)
    assert ours.nodes == theirs.nodes
    assert all(np.array_equal(ours.tensors[k], theirs.tensors[k]) for k in theirs.tensors)


def test_an_unknown_argument_is_kept_as_such(model_file: Path, tmp_path: Path):
    argument = {"name": "d", "arg": {"as_device": {"type": "cpu", "index": None}}}
    change = first_node("inputs", [argument])
    found = read(rewritten(model_file, tmp_path / "model.pt", change))
    assert isinstance(found.nodes[0].inputs["d"], archive.Other)
