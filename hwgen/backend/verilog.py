"""An Amaranth component as Verilog text: exact port names, no paths, the same text every time."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Elaboratable, UnusedElaboratable, ValueCastable

from hwgen import tools
from hwgen.errors import BuildError


def convert(
    component: Elaboratable, name: str, ports: Mapping[str, ValueCastable] | None = None
) -> str:
    """``component`` as Verilog text whose top module is ``name``.

    ``ports`` gives port names to signals; without it they are those of the component's signature
    (``i__payload``). The text holds no source locations, dates or paths, and depends on nothing
    but the component.

    Raises:
        ToolError: no yosys of version 0.40 or newer.
        BuildError: yosys refused the circuit.
    """
    yosys = tools.require("yosys")
    named: dict[str, Any] | None = None
    if ports is not None:
        named = {key: (value, None) for key, value in ports.items()}
    with _environment(yosys.env):
        try:
            text = verilog.convert(
                component, name=name, ports=named, emit_src=False, strip_internal_attrs=True
            )
        except verilog.YosysError as error:
            raise BuildError(f"yosys could not write the Verilog of {name}: {error}") from None
    return _plain(text)


def _plain(text: str) -> str:
    """Without yosys's banner, its version and its attributes on locations.

    A wire called ``\\x[0]`` is renamed: yosys's own AIGER files take it for bit 0 of ``x``.
    """
    text = re.sub(r"\A/\*.*?\*/\s*", "", text, flags=re.S)
    text = re.sub(r"\\([^\s\[]+)\[(\d+)\]", r"\\\1_at_\2", text)
    text = re.sub(r"^\s*\(\* (?:src|generator|top|cell_src) = [^*]*\*\)\n", "", text, flags=re.M)
    return text.strip() + "\n"


@contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    """``env`` within ``os.environ``, where Amaranth looks for yosys."""
    saved = {key: os.environ.get(key) for key in env}
    os.environ.update(env)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnusedElaboratable)
            yield
    finally:
        for key, value in saved.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
