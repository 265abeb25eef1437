"""The link's circuits alone: what no host program can be made to do in time."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from hwgen import paths

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is missing")

WAITING = """
module bench;
  reg clk = 0, rst = 1, rx = 1, ready = 0;
  always #5 clk = ~clk;
  wire [7:0] data, in_byte;
  wire valid, last, in_valid;
  hwgen_uart #(.DIVISOR(4)) transport (
    .clk(clk), .rst(rst), .rx(rx), .tx(), .in_byte(in_byte), .in_valid(in_valid),
    .out_byte(8'd0), .out_valid(1'b0), .out_ready()
  );
  hwgen_link #(.TIMEOUT(400), .IN_BYTES(4), .OUT_BYTES(4)) link (
    .clk(clk), .rst(rst), .in_byte(in_byte), .in_valid(in_valid), .out_ready(1'b1),
    .i_tdata(data), .i_tvalid(valid), .i_tlast(last), .i_tready(ready),
    .o_tdata(8'd0), .o_tvalid(1'b0)
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

# Bytes 0 … ff go in; 1xx resets for a cycle. A commit turns the bank after {wait} cycles.
LOADING = """
module bench;
  reg clk = 0, rst = 1, in_valid = 0, bank = 0;
  always #5 clk = ~clk;
  reg [7:0] in_byte = 0;
  wire [7:0] out_byte, awaddr;
  wire [31:0] wdata;
  wire awvalid, wvalid, arvalid, out_valid;
  reg bvalid = 0, rvalid = 0;
  reg [7:0] pending = 0;
  hwgen_link #(
    .TIMEOUT(400), .IN_BYTES(4), .OUT_BYTES(4), .LOAD_WORDS({words}), .LOAD_CHUNK(2)
  ) link (
    .clk(clk), .rst(rst), .in_byte(in_byte), .in_valid(in_valid),
    .out_byte(out_byte), .out_valid(out_valid), .out_ready(1'b1),
    .i_tready(1'b1), .o_tdata(8'h55), .o_tvalid(1'b1),
    .axil_awaddr(awaddr), .axil_awvalid(awvalid), .axil_awready(1'b1),
    .axil_wdata(wdata), .axil_wvalid(wvalid), .axil_wready(1'b1), .axil_bvalid(bvalid),
    .axil_arvalid(arvalid), .axil_arready(1'b1), .axil_rdata({30'd0, bank, pending != 0}),
    .axil_rvalid(rvalid)
  );
  always @(posedge clk) begin
    bvalid <= awvalid & wvalid;
    rvalid <= arvalid;
    if (pending != 0) pending <= pending - 1;
    if (pending == 1) bank <= ~bank;
    if (awvalid & wvalid) begin
      $display("write %02x %0d", awaddr, wdata);
      if (awaddr == 8'h34 && {wait} != 0) pending <= {wait};
    end
    if (rst) pending <= 0;
    if (rst) $display("reset");
    if (out_valid & ~rst) $display("byte %02x", out_byte);
  end
  reg [11:0] sent [0:{total}];
  integer k;
  initial begin
    $readmemh("sent.hex", sent);
    repeat (10) @(negedge clk);
    rst = 0;
    for (k = 0; k < {total}; k = k + 1) begin
      @(negedge clk);
      in_byte = sent[k][7:0];
      in_valid = ~sent[k][8];
      rst = sent[k][8];
      @(negedge clk);
      in_valid = 0;
      rst = 0;
      repeat ({gap}) @(negedge clk);
    end
    repeat (600) @(negedge clk);
    $finish;
  end
endmodule
"""
RESET = (0x100,)
MINE, THEIRS = 0x12345678, 0x9ABCDEF0
WORDS = 5
OUT = "55" * 4


def _request(kind: int, tag: bytes, payload: bytes) -> bytes:
    body = bytes([kind]) + tag + payload
    return b"\xc3\x5a" + body + struct.pack("<I", zlib.crc32(body))


def _run(folder: Path, bench: str, sent: Sequence[int], **values: int) -> list[str]:
    """The lines that the bench prints."""
    (folder / "sent.hex").write_text("\n".join(f"{byte:x}" for byte in (*sent, 0)))
    for name, value in {"total": len(sent), **values}.items():
        bench = bench.replace(f"{{{name}}}", str(value))
    (folder / "bench.v").write_text(bench)
    names = ("hwgen_link.v", "hwgen_load.v", "hwgen_uart.v")
    sources = [str(paths.RTL_TEMPLATES / "open" / name) for name in names]
    command = ["iverilog", "-o", "bench", "-s", "bench", "bench.v", *sources]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run(
        ["vvp", "-n", "bench"], cwd=folder, check=True, capture_output=True, text=True
    )
    return [line for line in done.stdout.splitlines() if "$finish" not in line]


def test_a_frame_that_waits_for_the_accelerator_is_not_overwritten(tmp_path: Path) -> None:
    """An accelerator that takes nothing yet, while another host's frame arrives."""
    frames = (b"\x11\x22\x33\x44", b"\xaa\xbb\xcc\xdd")
    wire = _request(1, b"1234", frames[0]) + _request(1, b"5678", frames[1])
    assert _run(tmp_path, WAITING, wire) == ["11", "22", "33", "44 last"]


class Loads:
    """What a link that takes ``WORDS`` constants, two a packet, makes of requests one by one."""

    def __init__(self, folder: Path, wait: int = 3, gap: int = 50) -> None:
        self.folder, self.values = folder, {"wait": wait, "gap": gap, "words": WORDS}
        self.sent: list[int] = []

    def packet(self, number: int, owner: int = MINE, damage: int = 0) -> None:
        """Words 10·number + 1 and + 2 at addresses 2·number and + 1."""
        words = (2 * number, 10 * number + 1, 2 * number + 1, 10 * number + 2)
        wire = bytearray(_request(3, b"load", struct.pack("<II4I", owner, number, *words)))
        wire[12] ^= damage
        self.sent += [*wire, *bytes(40)]  # time to write the words

    def commit(self, packets: int = 3, owner: int = MINE) -> None:
        self.sent += _request(4, b"made", struct.pack("<II", owner, packets))

    def frame(self) -> None:
        self.sent += [*_request(1, b"fram", bytes(4)), *bytes(2)]

    def reset(self) -> None:
        self.sent += RESET

    def happens(self) -> list[str]:
        """The answers (kind, number of constants and payload) in the order in which they begin and,
        between them, words that are written and commits."""
        events: list[str] = []
        data, address, begun = b"", "", 0
        for line in _run(self.folder, LOADING, self.sent, **self.values):
            what, *rest = line.split()
            if what == "reset":
                del events[begun : begun + bool(data)]
                data = b""
            elif what == "write" and rest[0] == "2c":
                address = rest[1]
            elif what == "write":
                events.append(f"{address}={rest[1]}" if rest[0] == "30" else f"control={rest[1]}")
            else:
                if not data:
                    begun = len(events)
                    events.append("cut off")
                data += bytes.fromhex(rest[0])
                if len(data) == 15 + len(OUT) // 2 * (data[2:3] == b"\x81"):
                    events[begun] = _answer(data)
                    data = b""
        return events


def _answer(data: bytes) -> str:
    assert data[:2] == b"\x3c\xa5"
    assert struct.pack("<I", zlib.crc32(data[2:-4])) == data[-4:]
    constants = int.from_bytes(data[7:11], "little")
    return f"{data[2]:02x} {constants:x} {data[11:-4].hex()}".strip()


def _three(loads: Loads, owner: int = MINE) -> None:
    for number in range(3):
        loads.packet(number, owner)


FIRST = ["83 0", "0=1", "1=2"]
SECOND = ["83 0", "2=11", "3=12"]
THIRD = ["83 0", "4=21", "5=22"]


def test_constants_are_in_use_from_the_commit_on(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.frame()
    _three(loads)
    loads.frame()
    loads.commit()
    loads.frame()
    want = [f"81 0 {OUT}", *FIRST, *SECOND, *THIRD, f"81 0 {OUT}", "control=1"]
    assert loads.happens() == [*want, f"84 {MINE:x}", f"81 {MINE:x} {OUT}"]


def test_what_is_sent_twice_is_written_once(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    for number in (0, 0, 1, 0, 1, 2, 2):
        loads.packet(number)
    loads.commit()
    loads.commit()
    found = loads.happens()
    assert [event for event in found if "=" in event] == [
        "0=1", "1=2", "2=11", "3=12", "4=21", "5=22", "control=1",
    ]  # fmt: skip
    assert found[-2:] == [f"84 {MINE:x}", f"84 {MINE:x}"]
    assert sum(event == "83 0" for event in found) == 7


def test_a_commit_before_all_packets_is_refused(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.commit()
    loads.packet(0)
    loads.packet(1)
    loads.commit()
    loads.commit(packets=2)
    loads.frame()
    want = ["fe 0", *FIRST, *SECOND, "fe 0", "fe 0", f"81 0 {OUT}"]
    assert loads.happens() == want


def test_packets_out_of_order_are_refused(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    for number in (1, 0, 2, 3, 1, 2, 3):
        loads.packet(number)
    want = ["fe 0", *FIRST, "fe 0", "fe 0", *SECOND, *THIRD, "fe 0"]
    assert loads.happens() == want


def test_two_hosts_never_make_one_set_of_constants(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.packet(0)
    loads.packet(1)
    loads.packet(2, THEIRS)
    loads.packet(0, THEIRS)
    loads.packet(1, MINE)
    loads.packet(2, MINE)
    loads.commit()
    loads.packet(1, THEIRS)
    loads.commit(owner=THEIRS)
    loads.packet(2, THEIRS)
    loads.commit(owner=MINE)
    loads.commit(owner=THEIRS)
    want = [*FIRST, *SECOND, "fe 0", *FIRST, "fe 0", "fe 0", "fe 0", *SECOND, "fe 0", *THIRD]
    want += ["fe 0", "control=1", f"84 {THEIRS:x}"]
    assert loads.happens() == want


def test_damaged_packets_write_nothing(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    loads.packet(0)
    loads.packet(1, damage=0x40)
    loads.packet(2)
    assert loads.happens() == [*FIRST, "ff 0", "fe 0"]


def test_a_reset_in_mid_load_forgets_it_and_keeps_what_is_in_use(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    _three(loads)
    loads.commit()
    for number in range(2):
        loads.packet(number, THEIRS)
    loads.reset()
    loads.packet(2, THEIRS)
    loads.commit(owner=THEIRS)
    loads.frame()
    found = loads.happens()
    assert found[-3:] == [f"fe {MINE:x}", f"fe {MINE:x}", f"81 {MINE:x} {OUT}"]


def test_a_reset_in_a_commit_leaves_no_wrong_number(tmp_path: Path) -> None:
    """Either the old constants are in use and so called, or the new ones, or nothing is said."""
    seen = set()
    for moment in range(12):
        loads = Loads(tmp_path, gap=0)
        _three(loads)
        loads.commit()
        loads.sent += [0] * moment
        loads.reset()
        loads.frame()
        found = loads.happens()
        number = found[-1].split()[1]
        assert found[-1] == f"81 {number} {OUT}"
        assert number in (["ffffffff", f"{MINE:x}"] if "control=1" in found else ["0", "ffffffff"])
        seen.add(number)
    assert seen == {"0", "ffffffff", f"{MINE:x}"}


def test_registers_that_refuse_a_commit_leave_the_number_unknown(tmp_path: Path) -> None:
    loads = Loads(tmp_path, wait=0)
    _three(loads)
    loads.commit()
    loads.frame()
    assert loads.happens()[-3:] == ["control=1", "fe ffffffff", f"81 ffffffff {OUT}"]
