"""The UART bridge alone: what no host program can be made to do in time."""

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from hwgen import paths

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")

BENCH = """
module bench;
  reg clk = 0, rst = 1, rx = 1, ready = 0;
  always #5 clk = ~clk;
  wire [7:0] data;
  wire valid, last;
  hwgen_uart #(.DIVISOR(4), .TIMEOUT(400), .IN_BYTES(4), .OUT_BYTES(4)) link (
    .clk(clk), .rst(rst), .rx(rx), .i_tdata(data), .i_tvalid(valid), .i_tlast(last),
    .i_tready(ready), .o_tdata(8'd0), .o_tvalid(1'b0), .tx(), .core_reset(), .o_tready()
  );
  reg [7:0] sent [0:{total}];
  integer k, b;
  initial begin
    $readmemh("sent.hex", sent);
    #100 rst = 0;
    for (k = 0; k < {total}; k = k + 1) begin
      rx = 0; #40;
      for (b = 0; b < 8; b = b + 1) begin rx = sent[k][b]; #40; end
      rx = 1; #40;
    end
    ready = 1;
    #2000 $finish;
  end
  always @(posedge clk) if (valid & ready) $display("%02x%0s", data, last ? " last" : "");
endmodule
"""


def _request(tag: bytes, payload: bytes) -> bytes:
    body = b"\x01" + tag + payload
    return b"\xc3\x5a" + body + struct.pack("<I", zlib.crc32(body))


def test_a_frame_that_waits_for_the_accelerator_is_not_overwritten(tmp_path: Path) -> None:
    """An accelerator that takes nothing yet, while another host's frame arrives."""
    wire = _request(b"1234", b"\x11\x22\x33\x44") + _request(b"5678", b"\xaa\xbb\xcc\xdd")
    (tmp_path / "sent.hex").write_text("\n".join(f"{byte:02x}" for byte in (*wire, 0)))
    (tmp_path / "bench.v").write_text(BENCH.replace("{total}", str(len(wire))))
    source = paths.RTL_TEMPLATES / "open" / "hwgen_uart.v"
    subprocess.run(["iverilog", "-o", "bench", "bench.v", source], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert [line for line in done.stdout.splitlines() if "$finish" not in line] == [
        "11", "22", "33", "44 last",
    ]  # fmt: skip
