# Target: 100 MHz on xc7z020clg400-1. Made by hwgen.
# Clocks come from the processing system, whose own constraints define them.
