"""A chain of binary latents that counts: the shift of a weight in DenseShift and S³.

``S = H(t_K)·(1 + H(t_{K-1})·(1 + … H(t_1)))`` with the Heaviside step H, H(0) = 0: S is how many
latents in a row, from the last one down, are positive. Straight through every H, the derivative is
``∂S/∂t_k = (1 + S_{k-1})·Π_{j>k} H(t_j)``, where ``S_k`` is the chain up to k.
"""

from __future__ import annotations

import torch
from torch import Tensor


def chain(latents: Tensor) -> Tensor:
    """S as float, for latents of shape (K, …), innermost first; 0 where K is 0."""
    shift = latents.new_zeros(latents.shape[1:])
    for latent in latents:
        shift = (shift + 1) * (latent > 0)
    return shift


def chain_gradient(latents: Tensor, to_shift: Tensor) -> Tensor:
    """The gradient to the latents, straight through each step, from the one to S."""
    steps = (latents > 0).to(to_shift.dtype)
    before = []
    shift = torch.zeros_like(to_shift)
    for step in steps:
        before.append(shift)
        shift = (shift + 1) * step
    gradient = torch.empty_like(latents)
    for k in range(len(latents) - 1, -1, -1):
        gradient[k] = to_shift * (before[k] + 1)
        to_shift = to_shift * steps[k]
    return gradient


def sign(latent: Tensor) -> Tensor:
    """±1, with sign(0) = +1."""
    return torch.where(latent >= 0, 1.0, -1.0)
