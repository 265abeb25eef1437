"""What a user may ask of a plan, on the command line or in a TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwgen.errors import UsageError

NUMBERS = ("pe", "simd", "bits", "pixels")
"""What ``--set`` takes whole numbers for."""

KEYS = "style|pe|simd|memory|multiplier|bits|pixels"


@dataclass(frozen=True)
class PlanRequest:
    """What a user may say about a plan; ``sets`` are ``layer.key=value``, ``config`` a TOML
    file."""

    board: str = "pynq-z2"
    clock_mhz: float | None = None
    pipeline_mhz: float | None = None
    style: str = "auto"
    target_fps: float | None = None
    max_latency: str | None = None
    sets: tuple[str, ...] = ()
    config: Path | None = None
    stream_bits: str | None = None
    dump_ir: Path | None = None
    input_type: str | None = None
    writable: tuple[str, ...] = ()
    link: str | None = None


def with_config(request: PlanRequest) -> PlanRequest:
    """The request with what its TOML file says; the command line wins."""
    if request.config is None:
        return request
    try:
        data = tomllib.loads(request.config.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{request.config} must be a TOML file: {error}") from None
    known = {"board", "clock_mhz", "style", "target_fps", "max_latency", "stream_bits"}
    known |= {"input_type", "layers", "writable", "link"}
    if unknown := sorted(set(data) - known):
        raise UsageError(
            f"{request.config}: {unknown[0]!r} is not one of {', '.join(sorted(known))}"
        )
    layers = data.pop("layers", {})
    sets = tuple(f"{n}.{k}={v}" for n, keys in layers.items() for k, v in keys.items())
    defaults = PlanRequest()
    given = {k: v for k, v in data.items() if getattr(request, k) == getattr(defaults, k)}
    if "writable" in given:
        given["writable"] = tuple(map(str, given["writable"]))
    if "stream_bits" in given:
        given["stream_bits"] = str(given["stream_bits"])
    if "max_latency" in given:
        given["max_latency"] = str(given["max_latency"])
    return replace(request, sets=(*sets, *request.sets), **given)


def layer_settings(request: PlanRequest) -> Mapping[str, Mapping[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}
    for text in request.sets:
        found = re.fullmatch(rf"(.+)\.({KEYS})=(\w[\w-]*)", text)
        if not found:
            raise UsageError(
                f"--set must be LAYER.KEY=VALUE with KEY {KEYS.replace('|', ', ')}, not {text!r}"
            )
        name, key, value = found.groups()
        if key in NUMBERS and not value.isdigit():
            raise UsageError(f"{key} must be a whole number, not {value!r}", origin=text)
        layers.setdefault(name, {})[key] = int(value) if key in NUMBERS else value
    return layers


def max_interval(request: PlanRequest, clock_mhz: float) -> int | None:
    if request.target_fps is None:
        return None
    if not request.target_fps > 0:
        raise UsageError(f"--target-fps must be positive, not {request.target_fps}")
    cycles = int(clock_mhz * 1e6 / request.target_fps)
    if cycles < 1:
        raise UsageError(
            f"{request.target_fps:g} frames/s need more than one frame per cycle at "
            f"{clock_mhz:g} MHz"
        )
    return cycles


def cycles(text: str | None, clock_mhz: float) -> int | None:
    """A latency such as ``120`` (cycles), ``5us``, ``1.5ms`` or ``200ns`` in cycles."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]+)\s*(ns|us|µs|ms)?", text.strip())
    try:
        value = float(found.group(1)) if found else 0.0
    except ValueError:
        value = 0.0
    if not found or value <= 0:
        raise UsageError(f"--max-latency must be cycles or a time like 5us, not {text!r}")
    factor = {None: 1.0, "ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3}[found.group(2)]
    return int(value if found.group(2) is None else value * factor * clock_mhz)
