"""Every reason why a model cannot be built, before any work: ``hwgen check MODEL``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import HwgenError, ModelError, ModelFileError, ProblemsError
from hwgen.frontend.models import read_model
from hwgen.ir.graph import Graph
from hwgen.ir.real import RealGraph
from hwgen.ir.verify import verify
from hwgen.passes.integerize import integerize, problems


@dataclass(frozen=True)
class Checked:
    """What a check found; ``graph`` is there if nothing stands in the way."""

    model: str
    problems: tuple[HwgenError, ...]
    graph: Graph | None = None

    def data(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        found: dict[str, Any] = {
            "model": self.model,
            "supported": not self.problems,
            "problems": [
                {
                    "node": problem.origin.path,
                    "source": problem.origin.source,
                    "why": problem.message,
                    "fix": problem.hint,
                }
                for problem in self.problems
            ],
        }
        if self.graph is not None:
            found["layers"] = [node.name for node in self.graph.nodes]
        return found

    def text(self) -> str:
        """The same for people."""
        if self.graph is not None:
            source, sink = self.graph.input, self.graph.output
            types = self.graph.types
            return (
                f"{self.model} can be built: {len(self.graph.nodes) - 2} integer layers, "
                f"{types[source.name]} in, {types[sink.name]} out"
            )
        count = len(self.problems)
        what = "1 operation" if count == 1 else f"{count} operations"
        lines = [f"{self.model} cannot be built: {what} in the way"]
        for problem in self.problems:
            lines += ["", str(problem.origin) or "the network", f"  why: {problem.message}"]
            if problem.hint:
                lines.append(f"  fix: {problem.hint}")
        return "\n".join(lines)


def check(path: Path, input_type: str | None = None) -> Checked:
    """Imports and integerizes the model as far as it goes, and collects all problems.

    Raises:
        HwgenError: the file itself cannot be read.
    """
    graph, found = _survey(path, input_type)
    if graph is not None:
        found = [*found, *problems(graph)]
    if found or graph is None:
        return Checked(path.name, tuple(found))
    return Checked(path.name, (), verify(integerize(graph).graph))


def _survey(path: Path, input_type: str | None) -> tuple[RealGraph | None, list[HwgenError]]:
    """What can be imported of the model, and why the rest cannot."""
    if path.suffix == ".onnx":
        from hwgen.frontend import qonnx

        survey = qonnx.survey(path, input_type)
        return survey.graph, list(survey.problems)
    try:
        return read_model(path, input_type), []
    except ModelFileError:
        raise
    except ModelError as error:
        return None, list(error.problems) if isinstance(error, ProblemsError) else [error]
