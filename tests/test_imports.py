"""The import order of docs/architecture.md, read from the source without running it."""

import ast
from pathlib import Path

import pytest

from hwgen import paths

# Later layers may import earlier ones, and layers that share a line may import each other only
# where an entry of ALSO says so. verify.manifest is the schema of a file that backend writes.
ORDER = (
    ("content", "errors", "inttype", "paths"),
    ("store", "tools"),
    ("families",),
    ("cmvm",),
    ("rtl",),
    ("ir",),
    ("ops",),
    ("nn",),
    ("frontend", "passes"),
    ("design",),
    ("verify.manifest",),
    ("constants", "vectors"),
    ("backend",),
    ("estimate",),
    ("verify", "report"),
    ("train", "ptq"),
    ("request",),
    ("built",),
    ("check", "pipeline", "simulate", "synthesis"),
    ("fastest", "weights"),
    ("board_run",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
NEVER = {"families": {"ir", "ops"}, "cmvm": {"ir", "ops"}, "rtl": {"ir", "ops"}}
NEVER |= {"ir": {"rtl", "cmvm"}}
TORCH = ("nn", "train", "ptq", "frontend/save.py")
FILES = sorted(paths.PACKAGE.rglob("*.py"))


def layer(module: str) -> str:
    """The layer of a module of hwgen, by its name without ``hwgen.``."""
    parts = module.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in RANK), parts[0])


def module_of(file: Path) -> str:
    relative = file.relative_to(paths.PACKAGE).with_suffix("")
    return ".".join(part for part in relative.parts if part != "__init__")


def imported(file: Path, *, top_level: bool = False) -> set[str]:
    """Modules that a file imports; with ``top_level`` only those loaded when it is."""
    tree = ast.parse(file.read_text("utf-8"))
    nodes = _loaded(tree) if top_level else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports must be absolute"
            found |= {_source(node.module or "", alias.name) for alias in node.names}
    return found


def _source(base: str, name: str) -> str:
    """The module that ``from base import name`` reads: ``base.name`` if that is one."""
    below = paths.PACKAGE.parent.joinpath(*base.split("."))
    is_module = (below / f"{name}.py").is_file() or (below / name / "__init__.py").is_file()
    return f"{base}.{name}" if is_module else base


def _loaded(tree: ast.Module) -> list[ast.AST]:
    """Nodes that run on import: not those in functions or under ``if TYPE_CHECKING``."""
    found: list[ast.AST] = []
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        pending += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_go_one_way(file: Path) -> None:
    own = layer(module_of(file))
    if own == "":
        return
    assert own in RANK, f"{own} has no place in the import order: add it here and to the design"
    for name in imported(file):
        if not name.startswith("hwgen."):
            continue
        other = layer(name.removeprefix("hwgen."))
        if other == own or other not in RANK:
            continue
        assert RANK[other] < RANK[own], f"{own} must not import {name}"
        assert other not in NEVER.get(own, set()), f"{own} must never import {name}"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_only_training_imports_torch(file: Path) -> None:
    relative = file.relative_to(paths.PACKAGE).as_posix()
    if relative.startswith(TORCH):
        return
    for name in imported(file, top_level=True):
        assert name.partition(".")[0] != "torch", f"{relative} must not import {name}"
        assert layer(name.removeprefix("hwgen.")) not in ("nn", "train", "ptq") or not (
            name.startswith("hwgen.")
        ), f"{relative} must not import {name}, which loads torch"
