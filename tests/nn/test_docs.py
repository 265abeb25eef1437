"""docs/nn.md names every quantizer and layer that hwgen.nn has, and its first example runs."""

from pathlib import Path

import torch

from hwgen import nn as q

PAGE = (Path(__file__).parents[2] / "docs" / "nn.md").read_text("utf-8")


def test_every_quantizer_and_layer_is_on_the_page():
    specs = q.WeightSpec, q.ActSpec, q.QuantAct, q.QuantizedWeight
    public = [getattr(q, name) for name in q.__all__]
    wanted = [c.__name__ for c in public if issubclass(c, specs) and c is not q.QuantizedWeight]
    assert len(wanted) > 10
    assert [name for name in wanted if f"`{name}" not in PAGE and f"`q.{name}" not in PAGE] == []


def test_the_first_example_runs(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = PAGE.split("```python\n")[1].split("```")[0]
    before, after = code.split("...", 1)
    scope = {"x": torch.rand(8, 64)}
    exec(compile(before, "nn.md", "exec"), scope)
    scope["model"](scope["x"])
    exec(compile("pass" + after, "nn.md", "exec"), scope)
    assert (tmp_path / "model.pt").is_file()
