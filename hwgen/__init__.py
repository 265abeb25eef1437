"""hwgen: trained quantized PyTorch networks to bit-exact FPGA accelerators."""

__version__ = "0.1.0"
