"""GPFQ: each neuron is quantized along the data, so that later weights absorb earlier errors.

Source: Lybrand and Saab 2021, "A Greedy Algorithm for Quantizing Neural Networks" (JMLR,
arXiv 2010.11236), and Zhang, Zhou and Saab 2023 (arXiv 2201.11113). With X the layer's inputs in
the float network and Y those in the network quantized so far (columns are inputs), a neuron w
starts from ``u = 0`` and takes for t = 1 … N

    q_t = nearest level to ⟨Y_t, u + w_t·X_t⟩ / ‖Y_t‖²,      u += w_t·X_t - q_t·Y_t

so u is the error of the neuron's output so far. A column of zeros takes the nearest level to w_t.
The paper's alphabet has a radius of C·median|w| with C by cross-validation; here the scale is,
among multiples of that of least weight error, the one with the least ``‖XW - YQ‖`` on the data.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hwgen.ptq.alphabets import rounded
from hwgen.ptq.scale import Codes, least_error

MULTIPLES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5)


def gpfq(
    weight: Tensor,
    x: Tensor,
    y: Tensor,
    alphabet: tuple[int, ...],
    *,
    per_channel: bool = True,
    multiples: tuple[float, ...] = MULTIPLES,
) -> Codes:
    """Codes of ``weight`` (out, inputs) from inputs ``x`` and ``y``, (samples, inputs) each."""
    first = least_error(weight, alphabet, per_channel=per_channel)
    target = x @ weight.T
    best, least = first, torch.full((len(weight),), torch.inf)
    for multiple in multiples:
        scale = first.scale * multiple
        values = path_following(weight, x, y, scale, alphabet)
        error = (target - y @ (values * scale).T).square().sum(dim=0)
        if not per_channel:
            error = error.sum().expand(len(weight))
        better = (error < least)[:, None]
        kept = torch.where(better, values.to(torch.int64), best.values)
        best = Codes(kept, torch.where(better, scale, best.scale), alphabet)
        least = torch.minimum(error, least)
    return best


def path_following(
    weight: Tensor, x: Tensor, y: Tensor, scale: Tensor, alphabet: tuple[int, ...]
) -> Tensor:
    """The levels of one pass over the inputs, all neurons at once, as float (out, inputs)."""
    codes = torch.empty_like(weight)
    error = x.new_zeros(len(x), len(weight))
    power = y.square().sum(dim=0)
    for t in range(weight.shape[1]):
        wanted = error + x[:, t, None] * weight[:, t]
        along = y[:, t] @ wanted / power[t] if power[t] > 0 else weight[:, t]
        codes[:, t] = rounded(along / scale[:, 0], alphabet)
        error = wanted - y[:, t, None] * (codes[:, t] * scale[:, 0])
    return codes
