"""``hwgen train``: every method from the command line, resuming, refusing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hwgen import cli
from hwgen.errors import UsageError
from hwgen.frontend.torch_export import load
from hwgen.passes.integerize import integerize
from hwgen.train import config as configs
from hwgen.train import fit as loop
from hwgen.train.recipes import OPTIONS, RECIPES
from tests.train.golden import digits


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    x, y = (torch.cat([a, b]).numpy() for a, b in zip(digits().train, digits().test, strict=True))
    np.savez(tmp_path / "digits.npz", x=x[:500], y=y[:500])
    return tmp_path / "digits.npz"


def run(capsys: pytest.CaptureFixture, *arguments: object) -> dict:
    capsys.readouterr()
    assert cli.main(["train", "--json", "-q", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def config(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("method", RECIPES)
def test_every_method_trains_and_its_file_gives_its_accuracy(
    method: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    text = "[model]\nhidden = [12]\ninput_bits = 5\ninput_step = 0.0625\n"
    text += "[train]\nepochs = 3\nlr = 0.01\n"
    out = tmp_path / "model.pt"
    result = run(capsys, "--method", method, "--data", dataset, "-o", out,
                 "--config", config(tmp_path, text), "--seed", 3)  # fmt: skip
    assert result["seed"] == 3
    assert len(result["history"]) == 3
    graph = integerize(load(out)).graph
    from hwgen.train.data import load as read

    x, y = read(dataset, 3).test
    predicted = graph.output.predictions(graph.evaluate(graph.input.encode(x.numpy())))
    assert float((predicted == y.numpy()).mean()) == pytest.approx(result["test_accuracy"])
    assert not out.with_suffix(".ckpt").exists()


@pytest.mark.parametrize("method", ["lsq", "progressive", "denseshift", "bitpruning", "few-inputs"])
def test_convolutions_train_too(method: str, tmp_path: Path, capsys: pytest.CaptureFixture):
    x, y = digits().train
    np.savez(tmp_path / "images.npz", x=x[:400].reshape(-1, 1, 8, 8).numpy(), y=y[:400].numpy())
    text = "[model]\nconvolutions = [6, 'pool', 8]\nhidden = [12]\ninput_bits = 5\n"
    text += "input_step = 0.0625\n[train]\nepochs = 5\nlr = 0.01\n"
    out = tmp_path / "model.pt"
    result = run(capsys, "--method", method, "--data", tmp_path / "images.npz", "-o", out,
                 "--config", config(tmp_path, text))  # fmt: skip
    from hwgen.train.data import load as read

    graph = integerize(load(out)).graph
    frames, labels = read(tmp_path / "images.npz", 0).test
    predicted = graph.output.predictions(graph.evaluate(graph.input.encode(frames.numpy())))
    assert float((predicted == labels.numpy()).mean()) == pytest.approx(result["test_accuracy"])


def test_convolutions_need_images(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    file = config(tmp_path, "[model]\nconvolutions = [4]\n")
    options = ["--data", str(dataset), "--config", str(file), "-o", str(tmp_path / "m.pt")]
    assert cli.main(["train", "--method", "lsq", *options]) == 1
    assert "convolutions need frames of shape (channels, height" in capsys.readouterr().err


def test_a_killed_training_goes_on_where_it_was(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    text = "[model]\nhidden = [8]\n[train]\nepochs = 4\nlr = 0.01\n"
    options = ["--method", "progressive", "--data", dataset, "--config", config(tmp_path, text)]
    whole = run(capsys, *options, "-o", tmp_path / "whole.pt")
    epoch = loop._epoch

    def killed(*arguments):
        if arguments[-1] == 2:
            raise KeyboardInterrupt
        return epoch(*arguments)

    monkeypatch.setattr(loop, "_epoch", killed)
    out = tmp_path / "part.pt"
    assert cli.main(["train", "-q", *map(str, options), "-o", str(out)]) == 130
    assert out.with_suffix(".ckpt").exists()
    assert not out.exists()
    monkeypatch.setattr(loop, "_epoch", epoch)
    resumed = run(capsys, *options, "-o", out)
    assert resumed["history"] == whole["history"]
    assert out.read_bytes() == (tmp_path / "whole.pt").read_bytes()


def test_a_learning_curve_is_drawn(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    pytest.importorskip("matplotlib")
    text = "[model]\nhidden = [8]\n[train]\nepochs = 2\n"
    picture = tmp_path / "curve.png"
    run(capsys, "--method", "denseshift", "--data", dataset, "-o", tmp_path / "m.pt",
        "--config", config(tmp_path, text), "--plot", picture)  # fmt: skip
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_bit_lengths_can_be_priced_for_a_board(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    text = "[model]\nhidden = [8]\n[train]\nepochs = 5\nlr = 0.02\nbatch = 16\n"
    text += "[method]\nstrength = 3.0\n"
    result = run(capsys, "--method", "bitpruning", "--data", dataset, "-o", tmp_path / "m.pt",
                 "--config", config(tmp_path, text), "--cost", "memory")  # fmt: skip
    assert result["bits"]["fc1"] < 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nwidth = 3", r"\[model\] may hold convolutions, hidden, .*not 'width'"),
        ("[train]\nlr = 'fast'", r"lr in \[train\] must be like 0.003, not 'fast'"),
        ("[method]\nstd = 1", r"\[method\] of lsq may hold per_channel, prune, not 'std'"),
        ("[model]\nhidden = 3", "hidden in .* must be a list of widths"),
        ("[model]\nhidden = ['pool']", "hidden in .* must be a list of widths, not"),
        ("[model]\nconvolutions = ['pond']", "must be a list of widths and 'pool', not"),
        ("model = 3", r"model must be a table"),
        ("[other]", "the configuration may hold model, train, method"),
        ("[", "must be a TOML file"),
    ],
)
def test_configurations_with_mistakes_are_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(UsageError, match=message):
        configs.read(config(tmp_path, text), "lsq")


def test_unknown_methods_and_outputs_are_refused(dataset: Path, tmp_path: Path, capsys):
    assert set(OPTIONS) == set(RECIPES)
    assert cli.main(["train", "--method", "magic", "--data", str(dataset)]) == 1
    assert "--method must be one of lsq, pact-sawb" in capsys.readouterr().err
    out = str(tmp_path / "model.onnx")
    assert cli.main(["train", "--method", "lsq", "--data", str(dataset), "-o", out]) == 1
    assert "-o must be a .pt file" in capsys.readouterr().err
