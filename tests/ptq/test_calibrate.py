"""Steps of activations from one batch."""

import pytest
import torch

from hwgen.errors import UsageError
from hwgen.ptq.calibrate import Calibration


def values() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.cat([torch.randn(20_000).abs(), torch.tensor([40.0])])


def test_the_greatest_value_is_the_greatest_level():
    assert Calibration(4, "max").step(torch.tensor([0.0, 3.0, 30.0]), signed=False) == 2
    assert Calibration(4, "max").step(torch.tensor([-14.0, 3.0]), signed=True) == 2


def test_a_percentile_leaves_out_outliers():
    step = Calibration(4, "percentile", percentile=99.0).step(values(), signed=False)
    assert step * 15 == pytest.approx(2.576, rel=0.05)


def test_the_least_squared_error_is_least_on_a_fine_grid():
    data = values()[:-1]
    step = Calibration(3, "mse").step(data, signed=False)

    def error(step: float) -> float:
        return float((data - (data / step).round().clamp(max=7) * step).square().sum())

    grid = torch.linspace(0.05, 0.65, 400).tolist()
    assert error(step) <= min(map(error, grid)) * 1.02


def test_divergence_clips_outliers_but_keeps_most_of_the_mass():
    step = Calibration(4, "kl").step(values(), signed=False)
    assert 1.5 < step * 15 < 12


def test_uniform_values_are_not_clipped_by_divergence():
    data = torch.linspace(0, 1, 50_000)
    assert Calibration(8, "kl").step(data, signed=False) * 255 > 0.95


@pytest.mark.parametrize("rule", ["max", "percentile", "mse", "kl"])
def test_power_of_two_steps_are_powers_of_two_near_the_rules(rule: str):
    free = Calibration(4, rule).step(values(), signed=False)
    step = Calibration(4, rule, power_of_two=True).step(values(), signed=False)
    mantissa, _ = torch.frexp(torch.tensor(step))
    assert mantissa == 0.5
    assert 0.5 <= step / free <= 2


def test_zeros_have_a_step_and_bad_values_are_refused():
    assert Calibration(4, "kl").step(torch.zeros(9), signed=False) == 1
    with pytest.raises(UsageError, match="NaN or infinite"):
        Calibration().step(torch.tensor([torch.nan]), signed=False)
    with pytest.raises(UsageError, match="rule must be max, percentile, mse or kl"):
        Calibration(4, "best")
    with pytest.raises(UsageError, match="1 to 16 bits, not 0"):
        Calibration(0)
