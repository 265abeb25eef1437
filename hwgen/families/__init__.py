"""FPGA families: what a LUT, a carry chain and a memory cost and can do."""
