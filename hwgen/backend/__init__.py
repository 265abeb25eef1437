"""From Amaranth components to a board project: Verilog text, Tcl, constraints, drivers."""
