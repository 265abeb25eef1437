"""Operators whose operands are all constants: computed here, in numpy, as torch would."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.frontend.call import Array, Call

Fold = Callable[[Call], Array]


def fold(call: Call) -> Array | None:
    """The value of an operator on constants alone, or None if it is not one of those known here."""
    function = FOLDS.get(call.node.target)
    if function is None:
        return None
    with np.errstate(all="ignore"):  # what is not finite is refused where it is used
        return (
            np.asarray(function(call)).astype(call.type.dtype, copy=False).reshape(call.type.shape)
        )


def _operands(call: Call) -> tuple[Array, Array]:
    return tuple(  # type: ignore[return-value]
        np.asarray(value if (value := call.argument(key)) is not None else call.number(key))
        for key in ("self", "other")
    )


def _scaled(call: Call) -> tuple[Array, Array]:
    a, b = _operands(call)
    return a, b * call.number("alpha", 1)


def _binary(function: Callable[[Array, Array], Array]) -> Fold:
    return lambda call: function(*_operands(call))


def _copy(call: Call) -> Array:
    return call.required("self")


def _expand(call: Call) -> Array:
    return np.broadcast_to(call.required("self"), call.type.shape)


def _filled(value: float) -> Fold:
    return lambda call: np.full(call.type.shape, value)


FOLDS: dict[str, Fold] = {
    "aten.ones.default": _filled(1),
    "aten.zeros.default": _filled(0),
    "aten.full.default": lambda call: np.full(call.type.shape, call.number("fill_value")),
    "aten.scalar_tensor.default": lambda call: np.asarray(call.number("s")),
    "aten.expand.default": _expand,
    "aten.neg.default": lambda call: -call.required("self"),
    "aten.reciprocal.default": lambda call: 1 / call.required("self"),
    "aten.sqrt.default": lambda call: np.sqrt(call.required("self")),
    **dict.fromkeys(("aten.mul.Tensor", "aten.mul.Scalar"), _binary(np.multiply)),
    **dict.fromkeys(("aten.div.Tensor", "aten.div.Scalar"), _binary(np.divide)),
    **{f"aten.add.{kind}": lambda call: np.add(*_scaled(call)) for kind in ("Tensor", "Scalar")},
    **{
        f"aten.sub.{kind}": lambda call: np.subtract(*_scaled(call))
        for kind in ("Tensor", "Scalar")
    },
    **dict.fromkeys(
        (
            "aten.unsqueeze.default",
            "aten.squeeze.dim",
            "aten.squeeze.dims",
            "aten.view.default",
            "aten.reshape.default",
            "aten.flatten.using_ints",
            "aten.to.dtype",
            "aten._to_copy.default",
        ),
        _copy,
    ),
}
"""Operator to its value; the result is cast and shaped as torch recorded it."""
