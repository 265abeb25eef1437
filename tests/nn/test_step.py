"""Steps: relative to where they started, so that every optimizer moves them sensibly."""

import pytest
import torch

from hwgen.errors import ModelError
from hwgen.nn.step import LEAST_SCALE, Step, initial_step


def test_sgd_moves_the_step_as_if_it_were_the_parameter():
    step = Step("learned")
    step.set(torch.tensor(0.01))
    optimizer = torch.optim.SGD(step.parameters(), lr=0.002)
    (3 * step()).backward()
    optimizer.step()
    assert step().item() == pytest.approx(0.01 - 0.002 * 3)


def test_adam_moves_the_step_in_relation_to_itself():
    step = Step("learned")
    step.set(torch.tensor(1e-4))
    optimizer = torch.optim.Adam(step.parameters(), lr=0.01)
    (-step()).backward()
    optimizer.step()
    assert step().item() == pytest.approx(1.01e-4)


def test_a_step_never_reaches_zero_and_can_come_back():
    step = Step("learned")
    step.set(torch.tensor(1.0))
    with torch.no_grad():
        step.raw.fill_(-5.0)
    value = step()
    assert value.item() == LEAST_SCALE
    value.backward()
    assert step.raw.grad.item() == 1


def test_a_value_that_is_no_step_changes_nothing():
    step = Step("learned", (2, 1))
    step.set(torch.tensor([[1.0], [0.0]]))
    step.set(torch.tensor([[1.0], [float("nan")]]))
    assert not step.ready
    with pytest.raises(ModelError, match="learned step must be initialized"):
        step.settled()


def test_the_first_step_is_taken_over_all_axes_but_the_given_ones():
    x = torch.tensor([[1.0, -1.0], [3.0, 3.0]])
    assert initial_step(x, 4).item() == 2.0
    assert initial_step(x, 4, (0,)).tolist() == [[1.0], [3.0]]
