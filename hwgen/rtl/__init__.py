"""Amaranth circuits that know no networks: streams, sequences, arithmetic, memories, AXI."""
