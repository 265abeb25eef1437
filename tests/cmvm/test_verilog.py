"""Emitted Verilog against the graph, with behavioural and with structural cells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from hwgen import families, tools
from hwgen.cmvm import emit, library, pipeline, solve
from hwgen.cmvm.bits import solve_bits
from hwgen.cmvm.graph import Builder, Term
from hwgen.inttype import IntType
from tests.cmvm.simulate import IVERILOG, run
from tests.yosys import needs_yosys, prove_equal

XC7 = families.get("xc7")
CASES = {
    "binary": (IntType(-128, 127), lambda r, s: r.integers(0, 2, s) * 2 - 1),
    "one bit": (IntType(0, 1), lambda r, s: r.integers(0, 2, s) * 2 - 1),
    "two bits": (IntType(0, 3), lambda r, s: r.integers(-1, 2, s)),
    "odd range": (IntType(-3, 4), lambda r, s: r.integers(-8, 8, s)),
    "shifts": (IntType(0, 200), lambda r, s: 2 ** r.integers(0, 4, s) * r.integers(-1, 2, s)),
}


def example(kind: str, outputs: int = 7, inputs: int = 9):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    dtype, draw = CASES[kind]
    weights = draw(rng, (outputs, inputs))
    weights[2] = 0
    weights[3] = -weights[1]
    bias = rng.integers(-20, 20, outputs)
    x = rng.integers(dtype.lo, dtype.hi + 1, (40, inputs))
    x[0], x[1] = dtype.lo, dtype.hi
    return weights, bias, [dtype] * inputs, x


@pytest.mark.skipif(IVERILOG is None, reason="no iverilog")
@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("name", ["generic", pytest.param("xc7", marks=needs_yosys)])
@pytest.mark.parametrize("stages", [0, 2])
def test_simulated_module_is_the_matrix(kind: str, name: str, stages: int, tmp_path: Path) -> None:
    weights, bias, inputs, x = example(kind)
    graph = pipeline(solve(weights, inputs, bias=bias, family=XC7), XC7, stages=stages)
    library_of = None if name == "generic" else XC7
    files = {"dut.v": emit(graph, "dut", XC7), **library(library_of)}
    assert np.array_equal(run(graph, files, x, tmp_path), x @ weights.T + bias)


@pytest.mark.skipif(IVERILOG is None, reason="no iverilog")
@pytest.mark.parametrize("name", ["xc7", "ecp5"])
def test_a_sum_may_end_below_an_operand_that_is_always_zero(name: str, tmp_path: Path) -> None:
    family = families.get(name)
    builder = Builder([IntType(0, 1), IntType(0, 0)])
    total = builder.add([Term(0), Term(1, 1)])
    graph = builder.graph([builder.output(Term(total))])
    text = emit(pipeline(graph, family, stages=0), "dut", family)
    assert ".W(0)" not in text
    x = np.array([[0, 0], [1, 0]])
    assert run(graph, {"dut.v": text, **library()}, x, tmp_path).ravel().tolist() == [0, 1]


@needs_yosys
@pytest.mark.parametrize("kind", ["binary", "two bits"])
def test_structural_and_behavioural_cells_are_proved_equal(kind: str, tmp_path: Path) -> None:
    weights, bias, inputs, _ = example(kind, 4, 4)
    graph = solve(weights, inputs, bias=bias, family=XC7)
    files = {"dut.v": emit(graph, "dut", XC7)}
    prove_equal({**files, **library(None)}, {**files, **library(XC7)}, "dut", tmp_path)


@pytest.mark.parametrize("kind", CASES)
def test_verilator_has_no_warning(kind: str, tmp_path: Path) -> None:
    weights, bias, inputs, _ = example(kind)
    graph = pipeline(solve(weights, inputs, bias=bias, family=XC7), XC7, stages=1)
    names = []
    for name, text in {"dut.v": emit(graph, "dut", XC7), **library(None)}.items():
        (tmp_path / name).write_text(text)
        names.append(name)
    verilator = tools.require("verilator")
    done = subprocess.run(
        [verilator.command, "--lint-only", "-Wall", "--top-module", "dut",
         *names],
        cwd=tmp_path, capture_output=True, text=True, env=verilator.environ(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_the_same_arguments_give_the_same_text() -> None:
    weights, bias, inputs, _ = example("binary")
    texts = {
        emit(pipeline(solve(weights, inputs, bias=bias), XC7, target_ns=4), "dut", XC7)
        for _ in range(2)
    }
    assert len(texts) == 1


@pytest.mark.skipif(IVERILOG is None, reason="no iverilog")
@pytest.mark.parametrize("stages", [0, 1])
def test_a_graph_on_the_single_bits_of_its_inputs_simulates_as_the_matrix(
    stages: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    weights = 2 ** rng.integers(0, 4, (10, 24)) * (1 - 2 * rng.integers(0, 2, (10, 24)))
    bias = rng.integers(-20, 20, 10)
    x = rng.integers(0, 4, (40, 24))
    inputs = [IntType(0, 3)] * 24
    builder = Builder(inputs, split=True)
    rows = solve_bits(builder, weights, inputs, [int(b) for b in bias], XC7, depth=6, seed=0)
    graph = builder.graph([builder.output(row) for row in rows])
    graph.verify(weights, bias)
    assert graph.split
    design = pipeline(graph, XC7, stages=stages)
    files = {"dut.v": emit(design, "dut", XC7), **library(None)}
    assert np.array_equal(run(design, files, x, tmp_path), x @ weights.T + bias)


@needs_yosys
@pytest.mark.skipif(IVERILOG is None, reason="no iverilog")
@pytest.mark.parametrize("seed", range(4))
def test_bits_of_weights_of_two_digits_stay_in_the_table(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-3, 4, (4, 48))
    x = rng.integers(0, 4, (40, 48))
    graph = solve(weights, [IntType(0, 3)] * 48, family=XC7, effort=0.0)
    files = {"dut.v": emit(graph, "dut", XC7), **library(XC7)}
    assert np.array_equal(run(graph, files, x, tmp_path), x @ weights.T)
