"""Networks that others trained and exported give the outputs that QONNX's executor gave."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.ir.verify import verify
from hwgen.ops.input import Input
from hwgen.ops.output import Output
from hwgen.passes.integerize import integerize
from tests.frontend import shared

FLOAT_ROUNDING = 4e-6  # the reference adds hundreds of products in float32
EXACT = ("TFC_1W1A", "TFC_1W2A", "kwsmlp_w3a3")


def golden(graph: Graph, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and classes of the integer graph on real frames."""
    assert isinstance(graph.input, Input)
    assert isinstance(graph.output, Output)
    y = graph.evaluate(graph.input.encode(x))
    return graph.output.logits(y), graph.output.predictions(y)


def imported(name: str, input_type: str | None = None) -> Graph:
    return verify(integerize(read_model(shared.model(name), input_type)).graph)


@pytest.mark.parametrize("name", EXACT)
def test_all_reference_outputs_are_reproduced(name: str) -> None:
    shared.model(name)
    reference = shared.reference(name)
    logits, classes = golden(imported(name), reference["x"])
    np.testing.assert_allclose(logits, reference["logits"], rtol=0, atol=FLOAT_ROUNDING)
    for frame in np.flatnonzero(classes != reference["pred"]):
        best = np.flatnonzero(logits[frame] == logits[frame].max())
        # Two classes are exactly equal; float32 sums in the reference fell either way.
        assert {classes[frame], reference["pred"][frame]} <= set(best)
        assert (name, frame) == ("kwsmlp_w3a3", 492)


def test_jets_whose_input_is_stated_as_fixed_point_are_classified_as_in_floating_point() -> None:
    name = "qkeras_jettagging"
    shared.model(name)
    reference = shared.reference(name)
    _, classes = golden(imported(name, shared.INPUT_TYPES[name]), reference["x"])
    assert np.array_equal(classes, reference["pred"])
    assert (classes == reference["y"]).mean() == pytest.approx(0.774)


def test_jets_of_a_fine_input_have_the_references_probabilities() -> None:
    """The softmax stays on the host; with 20 bits after the point only rounding is left."""
    name = "qkeras_jettagging"
    shared.model(name)
    reference = shared.reference(name)
    logits, _ = golden(imported(name, "FIXED<24,4>"), reference["x"])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, reference["logits"], rtol=0, atol=FLOAT_ROUNDING)


def test_an_input_that_no_quantizer_meets_is_refused_with_the_option_that_states_it() -> None:
    with pytest.raises(ModelError, match="must be quantized before this layer") as caught:
        read_model(shared.model("qkeras_jettagging"))
    assert "--input-type" in caught.value.hint


@pytest.mark.parametrize("name", [*EXACT, "qkeras_jettagging"])
def test_import_takes_at_most_five_seconds(name: str) -> None:
    path = shared.model(name)
    start = time.perf_counter()
    read_model(path, shared.INPUT_TYPES.get(name))
    assert time.perf_counter() - start < 5
