"""Archives damaged at random in their JSON are read, or refused as the user's error."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import hwgen
from hwgen.errors import HwgenError
from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import integerize
from tests.models import small_cnn, small_mlp

MUTATIONS = 150
VALUES: list[Any] = [None, True, -1, 0, 3, 2**70, 1.5, float("nan"), "x", "", [], {}, [{}], [[]]]
VALUES += [{"as_int": 3}, {"as_tensor": {"name": "linear"}}, {"as_none": True}, {"as_float": 1e308}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = []
    for key in keys:
        found.append((*path, key))
        if isinstance(value[key], dict | list):
            found += places(value[key], (*path, key))
    return found


def mutate(value: Any, choose: random.Random) -> None:
    """Delete or replace one value, by something plain or by another part of the same JSON."""
    *parents, last = choose.choice(places(value))
    target = value
    for key in parents:
        target = target[key]
    action = choose.random()
    if action < 0.3:
        del target[last]
    elif action < 0.8:
        target[last] = choose.choice(VALUES)
    else:
        source = value
        for key in choose.choice(places(value)):
            source = source[key]
        target[last] = json.loads(json.dumps(source))


@pytest.mark.parametrize(("make", "shape"), [(small_mlp, (12,)), (small_cnn, (2, 8, 8))])
def test_random_damage_is_the_users_error_or_nothing(tmp_path: Path, make, shape: tuple[int, ...]):
    hwgen.save(make(), tmp_path / "good.pt", torch.zeros(1, *shape))
    with zipfile.ZipFile(tmp_path / "good.pt") as file:
        entries = {name: file.read(name) for name in file.namelist()}
    names = [name for name in entries if name.endswith(".json")]
    refused = 0
    for seed in range(MUTATIONS):
        choose = random.Random(seed)
        name = choose.choice(names)
        value = json.loads(entries[name])
        mutate(value, choose)
        with zipfile.ZipFile(tmp_path / "bad.pt", "w") as file:
            for entry, data in {**entries, name: json.dumps(value).encode()}.items():
                file.writestr(entry, data)
        try:
            integerize(load(tmp_path / "bad.pt"))
        except HwgenError:
            refused += 1
        except Exception as error:
            pytest.fail(f"seed {seed}: {type(error).__name__}: {error}")
    assert refused > MUTATIONS // 4
