"""The core's Verilog, block by block: what was made before is not made again."""

from __future__ import annotations

import importlib.metadata
import logging

from hwgen import tools
from hwgen.backend import verilog
from hwgen.design.core import Core
from hwgen.design.layout import Layout
from hwgen.store import store

log = logging.getLogger("hwgen")


def core_verilog(layout: Layout) -> str:
    """The module ``core`` and all modules below it that are no files of their own.

    Raises:
        ToolError, BuildError: as ``verilog.convert``.
    """
    kept = store()
    made_by = (importlib.metadata.version("amaranth"), tools.require("yosys").version)
    keys = {b.instance: kept.key(made_by, b.instance, b.unit.made_from) for b in layout.blocks}
    texts = {name: kept.get(key) for name, key in keys.items()}
    new = {b.instance: b.unit for b in layout.blocks if texts[b.instance] is None}
    log.info("generating Verilog, %d of %d modules anew", len(new), len(keys))
    fresh = verilog.convert_all(new)
    for name, text in fresh.items():
        kept.put(keys[name], text)
    found = {name: fresh[name] if text is None else text for name, text in texts.items()}
    apart = {name: verilog.port_names(text) for name, text in found.items()}
    core = Core(layout, apart)
    top = verilog.convert(core, "core", core.ports())
    return "\n".join([top, *found.values()])
