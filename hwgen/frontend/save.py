"""`hwgen.save`: a trained model as a torch.export archive, each quantizer one operator of it."""

from __future__ import annotations

import copy
import io
import json
import os
import re
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

import hwgen
from hwgen.errors import HwgenError, ModelError, Origin, UnsupportedError, UsageError
from hwgen.frontend.examples import EXAMPLES_FILE, MAX_FRAMES, to_text
from hwgen.frontend.format import FORMAT_FILE, FORMAT_VERSION
from hwgen.nn.layers import QuantizedWeight
from hwgen.nn.quantizer import ActQuantizer
from hwgen.nn.tables import TruthTables

_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
_QUANTIZERS = ("hwgen.quantize.default", "hwgen.sign.default", "hwgen.truth_table.default")
_CODING = (
    "quantized_decomposed.quantize_per_tensor.",
    "quantized_decomposed.quantize_per_channel.",
    "torchao.quantize_affine.",
)
"""Operators of torch's own quantization whose outputs are codes."""

_LIBRARIES = (str(Path(torch.__file__).parent), str(Path(hwgen.__file__).parent))


def save(
    model: nn.Module | ExportedProgram, path: str | os.PathLike[str], example_input: Tensor
) -> None:
    """Write ``model``, as it computes in eval mode, to ``path``; the model itself is not changed.

    A program that torch.export already made, such as one quantized by PT2E, is written as it is.

    ``example_input`` is a float32 batch of any size: its axis 0 counts frames. Its first 64 frames
    stay in the file with the codes of all quantizers, so that a build can say where integers and
    float32 differ. The file is what `torch.export.load` reads (with `hwgen.nn` imported); equal
    models and examples give equal bytes. It appears under its name only when it is complete.

    Raises:
        ModelError: if a weight or a buffer is NaN, infinite or not float32, a learned step never
            saw data, or the model does not take the example input.
        UnsupportedError: if the object is not a plain module, or torch cannot export it.
        UsageError: if the file cannot be written.
    """
    _check_input(example_input)
    example = torch.zeros_like(example_input, device="cpu")
    if isinstance(model, ExportedProgram):
        program = _copied(model)
    else:
        _check_model(model)
        program = _exported(_frozen(model), example)
    _clean(program, example)
    buffer = io.BytesIO()
    extra = {
        Path(FORMAT_FILE).name: _header(example),
        Path(EXAMPLES_FILE).name: to_text(_examples(program, example_input.detach().cpu())),
    }
    torch.export.save(program, buffer, extra_files=extra)
    _write(Path(path), buffer.getvalue())


def _check_model(model: object) -> None:
    if isinstance(model, torch.jit.ScriptModule | nn.DataParallel) or hasattr(model, "_orig_mod"):
        raise UnsupportedError(
            f"model must be a plain torch.nn.Module, not a {type(model).__name__}",
            hint="save the module that was wrapped, compiled or scripted",
        )
    if not isinstance(model, nn.Module):
        raise UnsupportedError(
            f"model must be a torch.nn.Module, not {type(model).__name__}",
            hint="call hwgen.save(model, path, example_input) with the module itself",
        )
    tensors = [*model.named_parameters(), *model.named_buffers()]
    for name, tensor in tensors:
        _check_tensor(name, tensor)


def _check_tensor(name: str, tensor: Tensor) -> None:
    if nn.parameter.is_lazy(tensor):
        raise ModelError(
            "a lazy module must have its shape before it is saved",
            origin=name,
            hint="run one batch through the model",
        )
    if not tensor.is_floating_point():
        return
    if tensor.dtype != torch.float32:
        raise ModelError(
            f"parameters must be float32, not {tensor.dtype}".replace("torch.", ""),
            origin=name,
            hint="call model.float() before hwgen.save",
        )
    if not bool(torch.isfinite(tensor).all()):
        raise ModelError(
            "parameters must be finite, not NaN or infinite",
            origin=name,
            hint="training diverged: lower the learning rate or load an earlier checkpoint",
        )


def _check_input(example_input: object) -> None:
    if not isinstance(example_input, Tensor):
        raise UsageError(
            f"example_input must be one tensor, not {type(example_input).__name__}",
            hint="pass a batch such as torch.zeros(1, 784)",
        )
    kind = str(example_input.dtype).removeprefix("torch.")
    if kind != "float32" or example_input.dim() < 2 or not example_input.numel():
        raise UsageError(
            "example_input must be a float32 batch with at least one frame, "
            f"not {kind} of shape {tuple(example_input.shape)}",
            hint="put the frames on axis 0: x[:1].float()",
        )


def _frozen(model: nn.Module) -> nn.Module:
    """A copy in eval mode, on the CPU, whose quantizers are constants."""
    try:
        frozen = copy.deepcopy(model)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise UnsupportedError(
            f"model must be copyable, but copy.deepcopy failed: {_first_line(error)}",
            hint="detach tensors that are kept as attributes, and drop open files and hooks",
        ) from error
    frozen = frozen.to("cpu").eval().requires_grad_(False)
    for path, module in list(frozen.named_modules()):
        _freeze_children(path, module)
    for tensor in [*frozen.parameters(), *frozen.buffers()]:
        tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
    return frozen


def _freeze_children(path: str, module: nn.Module) -> None:
    if isinstance(module, QuantizedWeight):
        module.weight_quantizer = module.weight_quantizer.frozen(module.weight)
        module.register_parameter("weight", None)
    for name, child in module.named_children():
        if isinstance(child, ActQuantizer | TruthTables):
            try:
                module.add_module(name, child.frozen())
            except HwgenError as error:
                if not str(error.origin):
                    error.origin = Origin(path)
                raise


def _exported(model: nn.Module, example: Tensor) -> ExportedProgram:
    try:
        with torch.no_grad():
            model(example)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"the model does not take an input of shape {tuple(example.shape)}: "
            f"{_first_line(error)}",
            hint="pass an example_input of the shape that the model was trained with, batch first",
        ) from error
    try:
        program = torch.export.export(model, (example,))
    except Exception as error:  # torch.export raises of many kinds, all about the user's forward
        raise UnsupportedError(
            f"torch.export cannot trace the model: {_first_line(error)}",
            hint="forward must not branch on tensor values; "
            "torch.export.export(model.eval(), (example_input,)) shows torch's full report",
        ) from error
    return program


def _copied(program: ExportedProgram) -> ExportedProgram:
    """The same program, to be changed."""
    for name, tensor in program.state_dict.items():
        _check_tensor(name, tensor)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    return torch.export.load(buffer)


def _clean(program: ExportedProgram, example: Tensor) -> None:
    """Zeros as the example, of stack traces only the user's own frames, and no addresses."""
    program.example_inputs = ((example,), {})
    for node in program.graph.nodes:
        node.meta.pop("from_node", None)
        if "stack_trace" in node.meta:
            node.meta["stack_trace"] = _user_frames(cast(str, node.meta["stack_trace"]))


class _Recorder(torch.fx.Interpreter):
    """Keeps the codes of every activation quantizer that it runs."""

    codes: dict[str, npt.NDArray[np.int64]]

    def run_node(self, n: torch.fx.Node) -> object:
        value = super().run_node(n)
        if n.op == "call_function" and str(n.target).startswith(_CODING):
            self.codes[n.name] = cast(Tensor, value).to(torch.int64).numpy()
        if n.op != "call_function" or str(n.target) not in _QUANTIZERS:
            return value
        arguments = [self.env[a] if isinstance(a, torch.fx.Node) else a for a in n.args]
        y = cast(Tensor, value)
        if str(n.target) == "hwgen.sign.default":
            codes = y > 0
        elif str(n.target) == "hwgen.truth_table.default":
            codes = y == cast(list[float], arguments[3])[1]
        else:
            step, zero = cast(Tensor, arguments[1]), cast(Tensor, arguments[2])
            codes = torch.round(y / step) + zero
        self.codes[n.name] = codes.to(torch.int64).numpy()
        return value


def _examples(
    program: ExportedProgram, batch: Tensor
) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]:
    """The example frames and the codes that the network's own quantizers give for them."""
    frames = batch[:MAX_FRAMES]
    recorder = _Recorder(program.module(check_guards=False))
    recorder.codes = {}
    try:
        with torch.no_grad():
            recorder.run(frames)
    except (RuntimeError, AssertionError):  # the graph fixes the batch: take all of it
        recorder.codes, frames = {}, batch
        with torch.no_grad():
            recorder.run(frames)
    return {"": frames.numpy(), **recorder.codes}


def _user_frames(stack_trace: str) -> str:
    """The frames outside torch and hwgen, innermost last, with bare file names."""
    frames = [
        f'  File "{Path(file).name}", line {line}, in {function}'
        for file, line, function in _FRAME.findall(stack_trace)
        if not file.startswith(_LIBRARIES)
    ]
    return "\n".join(frames)


def _header(example: Tensor) -> str:
    fields = {
        "format": FORMAT_VERSION,
        "hwgen": hwgen.__version__,
        "input": list(example.shape),
    }
    return json.dumps(fields, sort_keys=True)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="choose a file in a folder that exists and can be written to",
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
