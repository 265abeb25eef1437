"""Unstructured pruning that ends in true zeros, which an adder graph builds nothing for.

Source: Zhu and Gupta 2017, "To prune, or not to prune" (arXiv 1710.01878): the share of zeros
rises as ``s·(1 - (1 - t)³)`` with t from 0 at epoch ``start`` to 1 at epoch ``end``; in between and
after, the weights of least magnitude of each layer (or of the whole network, each layer's
magnitudes in units of its mean) are masked, and a masked weight stays exactly 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hwgen.errors import UsageError
from hwgen.train.method import Method, State, weight_layers


class Pruning(Method):
    """Masks weights of least magnitude until the share ``sparsity`` of them is zero.

    Raises:
        UsageError: if a setting is out of range, or an alphabet has no zero.
    """

    def __init__(
        self,
        model: nn.Module,
        sparsity: float,
        *,
        start: int = 1,
        end: int = 10,
        network_wide: bool = False,
    ) -> None:
        if not 0 <= sparsity < 1:
            raise UsageError(f"sparsity must be at least 0 and below 1, not {sparsity}")
        if not 0 <= start < end:
            raise UsageError(f"pruning must start before it ends, not at {start} and {end}")
        self.model, self.sparsity, self.network_wide = model, sparsity, network_wide
        self.first, self.end = start, end
        self.layers = weight_layers(model)
        for name, layer in self.layers.items():
            keeps = layer.weight_quantizer.keeps_weight
            if not keeps or (layer.alphabet and 0 not in layer.alphabet):
                raise UsageError(
                    "a layer whose alphabet has no zero cannot be pruned",
                    origin=name,
                    hint="use Int, Ternary, Shift(zero=True) or LearnedBits",
                )
        self.masks = {name: torch.ones_like(layer.weight) for name, layer in self.layers.items()}

    def share(self, epoch: int) -> float:
        """The share of zeros that an epoch trains with."""
        t = min(max((epoch - self.first + 1) / (self.end - self.first), 0.0), 1.0)
        return self.sparsity * (1 - (1 - t) ** 3)

    def begin_epoch(self, epoch: int) -> None:
        if epoch >= self.first:
            self._mask(self.share(epoch))
        self._apply()

    def step(self, batch: tuple[Tensor, Tensor]) -> None:
        self._apply()

    def report(self) -> dict[str, float]:
        zeros = sum(int((mask == 0).sum()) for mask in self.masks.values())
        return {"pruned": zeros / sum(mask.numel() for mask in self.masks.values())}

    def state(self) -> State:
        return {"masks": self.masks}

    def restore(self, state: State) -> None:
        self.masks = dict(state["masks"])

    def _mask(self, share: float) -> None:
        scores = {n: layer.weight.detach().abs() for n, layer in self.layers.items()}
        if self.network_wide:
            scores = {n: s / s.mean().clamp(min=1e-12) for n, s in scores.items()}
            least = _threshold(torch.cat([s.flatten() for s in scores.values()]), share)
            self.masks = {n: (s > least).to(s.dtype) for n, s in scores.items()}
        else:
            self.masks = {n: (s > _threshold(s, share)).to(s.dtype) for n, s in scores.items()}

    @torch.no_grad()
    def _apply(self) -> None:
        for name, layer in self.layers.items():
            layer.weight.mul_(self.masks[name])


def _threshold(scores: Tensor, share: float) -> Tensor:
    """The greatest of the ``share`` least scores; -1 where that is none."""
    count = int(share * scores.numel())
    if not count:
        return scores.new_tensor(-1.0)
    return scores.flatten().kthvalue(count).values
