"""What the drivers share: how numbers become bytes and what integers mean. Needs numpy only."""

import json
import zipfile
from pathlib import Path

import numpy as np


class AcceleratorError(RuntimeError):
    """The hardware is not that of this driver, gives no right answer, or another program uses it;
    or a file is not for it."""


class Network:
    """A network by its ``model.json``; a driver says how integers go through the hardware."""

    def __init__(self, model=None):
        path = Path(model) if model else Path(__file__).with_name("model.json")
        self.model = json.loads(path.read_text())

    def run_codes(self, codes):
        """Integers (frames, elements) in stream order to integers in stream order."""
        raise NotImplementedError

    def run(self, x):
        """Real frames (frames, ...) to the integers of the network's output, channels first."""
        codes = self.run_codes(to_stream(encode(x, self.model)))
        return from_stream(codes, self.model["output_shape"])

    def logits(self, x):
        """Real frames to the network's real outputs."""
        return decode(self.run(x), self.model)

    def predict(self, x):
        """Real frames to classes: the largest logit, of equals the first."""
        return self.classes(self.run(x))

    def classes(self, integers):
        """The integers of the network's output to classes."""
        flat = integers if self.model["index"] else decode(integers, self.model)
        flat = flat.reshape(len(integers), -1)
        return flat[:, 0] if self.model["index"] else np.argmax(flat, axis=1)


def read_weights(file, model):
    """``(writes, decoding)`` of what ``hwgen weights`` wrote: uint32 (words, 2), addresses and
    data, and what the output means then.

    Raises:
        AcceleratorError: not such a file, or one for another build.
    """
    try:
        with np.load(file, allow_pickle=False) as found:
            build_id, decoding = int(found["build_id"]), json.loads(str(found["decoding"]))
            writes = np.stack([found["address"], found["data"]], axis=1).astype("<u4")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise AcceleratorError(f"{file} must be what hwgen weights wrote: {error}") from None
    if build_id != model["build_id"]:
        raise AcceleratorError(
            f"{file} is for build {build_id:#010x}, and this is {model['build_id']:#010x}"
        )
    if len(writes) != model["load_words"]:
        raise AcceleratorError(f"{file} must hold {model['load_words']} words, not {len(writes)}")
    return writes, decoding


def frame_bytes(port):
    """Bytes of one frame, in whole words."""
    words = -(-port["elements"] * port["slot_bits"] // port["word_bits"])
    return words * port["word_bits"] // 8


def pack(codes, port):
    """Integers (frames, elements) to the bytes of the stream (frames, bytes)."""
    slot = port["slot_bits"]
    lo = -(1 << (port["width"] - 1)) if port["signed"] else 0
    hi = lo + (1 << port["width"]) - 1
    if codes.ndim != 2 or codes.shape[1] != port["elements"]:
        raise ValueError(f"codes must be (frames, {port['elements']}), not {codes.shape}")
    if codes.size and (codes.min() < lo or codes.max() > hi):
        raise ValueError(f"codes must be from {lo} to {hi}")
    out = np.zeros((len(codes), frame_bytes(port)), np.uint8)
    if slot >= 8:
        raw = codes.astype(f"<i{slot // 8}").view(np.uint8).reshape(len(codes), -1)
    else:
        bits = codes.astype(np.int64)[:, :, None] >> np.arange(slot) & 1
        raw = np.packbits(bits.reshape(len(codes), -1).astype(np.uint8), axis=1, bitorder="little")
    out[:, : raw.shape[1]] = raw
    return out


def unpack(data, port):
    """Bytes of the stream (frames, bytes) to integers (frames, elements)."""
    slot, count = port["slot_bits"], port["elements"]
    if slot >= 8:
        kind = f"<{'i' if port['signed'] else 'u'}{slot // 8}"
        used = np.ascontiguousarray(data[:, : count * slot // 8])
        return used.view(kind).astype(np.int64)
    bits = np.unpackbits(data, axis=1, bitorder="little")[:, : count * slot]
    values = bits.reshape(len(data), count, slot).astype(np.int64) @ (1 << np.arange(slot))
    if port["signed"]:
        values -= (values >> (slot - 1)) << slot
    return values


def to_stream(x):
    """(frames, channels, ...) to (frames, elements): pixel by pixel, channel fastest."""
    return np.moveaxis(x, 1, -1).reshape(len(x), -1) if x.ndim > 2 else x


def from_stream(y, shape):
    """(frames, elements) to (frames, channels, ...)."""
    if len(shape) < 2:
        return y
    return np.moveaxis(y.reshape(len(y), *shape[1:], shape[0]), -1, 1)


def encode(x, model):
    """Real frames to the integers of the network's input quantizer, in float32 as in training."""
    rule = model["encoding"]
    channels, *pixels = model["input_shape"]
    if model["input_channels_last"]:
        value = np.asarray(x, np.float32).reshape(len(x), *pixels, channels)
        value = np.moveaxis(value, -1, 1)
    else:
        value = np.asarray(x, np.float32).reshape(len(x), channels, *pixels)
    if not np.isfinite(value).all():
        raise ValueError("x must hold finite numbers only")
    value = apply(rule["functions"], value)
    if rule["sign"]:
        return (value >= 0).astype(np.int64)
    scaled = ROUND[rule["rounding"]](value / channelwise(rule["step"], value.ndim))
    codes = scaled + channelwise(rule["zero_point"], value.ndim)
    return np.clip(codes, rule["lo"], rule["hi"]).astype(np.int64)


def decode(y, model):
    """Integers of the network's output to its real values."""
    rule = model["decoding"]
    shape = (1, -1) + (1,) * (y.ndim - 2)
    integers = y + np.reshape(rule["bias"], shape)
    real = integers * np.reshape(rule["scale"], shape) + np.reshape(rule["offset"], shape)
    if rule["functions"]:
        real = apply(rule["functions"], real.astype(np.float32)).astype(np.float64)
    if rule["order"] is not None:
        real = real[:, np.argsort(rule["order"])]
    return np.moveaxis(real, 1, -1) if model["output_channels_last"] else real


def apply(functions, x):
    """The host's real functions, in float32."""
    for function in functions:
        if function["kind"] == "affine":
            x = x * channelwise(function["scale"], x.ndim)
            x = x + channelwise(function["offset"], x.ndim)
        elif function["kind"] == "clamp":
            lo = -np.inf if function["lo"] is None else function["lo"]
            hi = np.inf if function["hi"] is None else function["hi"]
            x = np.clip(x, np.float32(lo), np.float32(hi))
        else:
            raise NotImplementedError(
                f"the host function {function['kind']} is not in this driver: use run_codes"
            )
    return x


def channelwise(values, ndim):
    """Constants as float32, shaped for (frames, channels, ...)."""
    array = np.array(values, np.float32)
    return array.reshape((1, -1) + (1,) * (ndim - 2)) if len(values) > 1 else array


ROUND = {
    "half_even": np.rint,
    "half_up": lambda v: np.floor(v + np.float32(0.5)),
    "half_away_from_zero": lambda v: np.sign(v) * np.floor(np.abs(v) + np.float32(0.5)),
    "half_toward_zero": lambda v: np.sign(v) * np.ceil(np.abs(v) - np.float32(0.5)),
    "away_from_zero": lambda v: np.sign(v) * np.ceil(np.abs(v)),
    "floor": np.floor,
    "ceil": np.ceil,
    "toward_zero": np.trunc,
}
