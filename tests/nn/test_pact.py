"""PACT keeps the paper's equations 1 to 3."""

import pytest
import torch

from hwgen import nn as q
from hwgen.errors import ModelError, UsageError


def test_values_are_clipped_and_rounded_to_steps_of_the_clip():
    act = q.QuantAct(q.PACT(2, alpha=3.0))
    x = torch.tensor([-1.0, 0.4, 0.6, 1.5, 2.5, 7.0])
    assert act(x).tolist() == [0, 0, 1, 2, 2, 3]
    assert act.integers(x).codes.tolist() == [0, 0, 1, 2, 2, 3]
    assert torch.equal(act.quantizer.frozen()(x), act(x))


def test_the_clip_gets_the_gradient_of_what_it_clips_and_no_other():
    act = q.QuantAct(q.PACT(4, alpha=2.0))
    x = torch.tensor([-1.0, 0.0, 1.0, 2.0, 5.0], requires_grad=True)
    act(x).backward(torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert x.grad.tolist() == [0, 2, 4, 0, 0]
    assert act.quantizer.alpha.grad.item() == 24


def test_it_starts_at_ten():
    assert q.QuantAct(q.PACT(4)).quantizer.alpha.item() == 10


def test_a_clip_that_is_not_positive_is_refused():
    with pytest.raises(UsageError, match="alpha of PACT must be positive"):
        q.PACT(4, alpha=0.0)
    act = q.QuantAct(q.PACT(4))
    with torch.no_grad():
        act.quantizer.alpha.fill_(-1)
    with pytest.raises(ModelError, match="clip of a PACT activation must stay positive, not -1"):
        act.quantizer.frozen()
