"""The accelerator's AXI4-Lite registers, as the map in the design page gives them."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.families.base import Family, Resources
from hwgen.inttype import IntType
from hwgen.rtl.fifo import Fifo
from hwgen.rtl.load import bus

MAGIC = 0x48574731
ADDRESS_BITS = 8
UNIT_BITS = 8
MAP = {
    "ID": 0x00,
    "VERSION": 0x04,
    "BUILD": 0x08,
    "FRAMES_IN": 0x0C,
    "FRAMES_OUT": 0x10,
    "CYCLES_LO": 0x14,
    "CYCLES_HI": 0x18,
    "ERRORS": 0x1C,
    "CONTROL": 0x20,
    "LATENCY": 0x24,
    "INTERVAL": 0x28,
    "LOAD_ADDRESS": 0x2C,
    "LOAD_DATA": 0x30,
    "LOAD_CONTROL": 0x34,
}
LOADS = ("LOAD_ADDRESS", "LOAD_DATA", "LOAD_CONTROL")


def axil() -> wiring.Signature:
    """An AXI4-Lite port of 32 bits, seen from its manager."""
    address: dict[str, Any] = {"addr": Out(ADDRESS_BITS), "prot": Out(3)}
    members: dict[str, Any] = {
        **{f"aw{k}": v for k, v in address.items()},
        **{f"ar{k}": v for k, v in address.items()},
        "wdata": Out(32),
        "wstrb": Out(4),
        "bresp": In(2),
        "rdata": In(32),
        "rresp": In(2),
    }
    for channel in ("aw", "w", "ar"):
        members |= {f"{channel}valid": Out(1), f"{channel}ready": In(1)}
    for channel in ("b", "r"):
        members |= {f"{channel}valid": In(1), f"{channel}ready": Out(1)}
    return wiring.Signature(members)


class Registers(wiring.Component):  # type: ignore[misc]
    """Identity, counters, error flags, reset and time measurement behind AXI4-Lite.

    Reads answer one cycle after the address; a write is done once address and data are there, in
    any order. Unknown addresses read 0 and ignore writes.

    ``inside`` is the most frames that are inside the accelerator at a time. ``words`` is how many
    words a network's constants are where they can be written: a commit of fewer is refused, and one
    that is accepted waits until no frame is inside.

    Members:
        axil: In(AXI4-Lite)
        first, last, done: In(1), a frame's first word is taken, its last word is taken, its last
            word leaves.
        errors: In(3), flags to be set in ERRORS.
        clear: Out(1), reset the core in this cycle.
        pause: Out(1), no frame may begin. load, unit: Out(``rtl.load.bus``) and the number of the
            unit that it writes. All three only with ``words``.
    """

    def __init__(self, version: int, build: int, inside: int = 64, words: int = 0) -> None:
        self.version, self.build, self.inside, self.words = version, build, inside, words
        self._wdata = Signal(32, name="wdata")
        self._cycles = Signal(64, name="cycles")
        loads = {"pause": Out(1), "load": Out(bus()), "unit": Out(UNIT_BITS)} if words else {}
        super().__init__(
            loads
            | {
                "axil": In(axil()),
                "first": In(1),
                "last": In(1),
                "done": In(1),
                "errors": In(3),
                "clear": Out(1),
            }
        )

    @staticmethod
    def resources(family: Family, inside: int = 64, *, loads: bool = False) -> Resources:
        """An estimate: counters and differences of 32 bits, the read multiplexer, the time stamps
        of frames ``inside``; the registers that constants are written by."""
        lut = 2 * family.adder(32, constant=True) + family.adder(64, constant=True)
        lut += 2 * family.adder(32) + family.mux(8, 32) + 35
        total = Resources(lut=lut, ff=306) + _stamps(inside).resources(family)
        return total + (Resources(lut=70, ff=82) if loads else Resources())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = self._counters(m)
        self._time(m, words)
        writes = self._write(m)
        self._read(m, words)
        flags = Signal(3 + int(self.words > 0))
        m.d.comb += words["ERRORS"].eq(flags)
        cleared = Mux(writes["ERRORS"], self._wdata[: len(flags)], 0)
        found: Value = self.errors
        if self.words:
            found = Cat(self.errors, self._load(m, words, writes))
        m.d.sync += flags.eq((flags & ~cleared) | found)
        m.d.sync += self.clear.eq(writes["CONTROL"] & self._wdata[0])  # it goes far
        return m

    def _counters(self, m: Module) -> dict[str, Signal]:
        words = {name: Signal(32, name=name.lower()) for name in MAP}
        fixed = {"ID": MAGIC, "VERSION": self.version, "BUILD": self.build, "CONTROL": 0}
        m.d.comb += [words[name].eq(value) for name, value in fixed.items()]
        for name, event in (("FRAMES_IN", self.last), ("FRAMES_OUT", self.done)):
            with m.If(event):
                m.d.sync += words[name].eq(words[name] + 1)
        m.d.sync += self._cycles.eq(self._cycles + 1)
        m.d.comb += words["CYCLES_LO"].eq(self._cycles[:32])
        return words

    def _time(self, m: Module, words: dict[str, Signal]) -> None:
        """LATENCY and INTERVAL from time stamps of the frames inside."""
        now = self._cycles[:32]
        m.submodules.stamps = stamps = _stamps(self.inside)
        m.d.comb += [
            stamps.i.valid.eq(self.first),
            stamps.i.payload[0].eq(now),
            stamps.o.ready.eq(self.done),
        ]
        start, some = Signal(32), Signal()
        with m.If(self.first):
            m.d.sync += [start.eq(now), some.eq(1)]
            with m.If(some):
                m.d.sync += words["INTERVAL"].eq(now - start)
        with m.If(self.done):
            m.d.sync += words["LATENCY"].eq(now - stamps.o.payload[0])

    def _write(self, m: Module) -> dict[str, Signal]:
        """A strobe per register, in the cycle in which it is written."""
        bus = self.axil
        have_address, have_data = Signal(), Signal()
        address = Signal(ADDRESS_BITS)
        strobe = Signal(4)
        go = Signal()
        m.d.comb += [
            bus.awready.eq(~have_address),
            bus.wready.eq(~have_data),
            go.eq(have_address & have_data & ~bus.bvalid),
            bus.bresp.eq(0),
        ]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [address.eq(bus.awaddr), have_address.eq(1)]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [self._wdata.eq(bus.wdata), strobe.eq(bus.wstrb), have_data.eq(1)]
        with m.If(go):
            m.d.sync += [have_address.eq(0), have_data.eq(0), bus.bvalid.eq(1)]
        with m.Elif(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        written = ("ERRORS", "CONTROL", *(LOADS if self.words else ()))
        writes = {name: Signal(name=f"write_{name.lower()}") for name in written}
        for name, write in writes.items():
            hit = address[2:] == MAP[name] >> 2
            m.d.comb += write.eq(go & hit & strobe[0])
        return writes

    def _load(self, m: Module, words: dict[str, Signal], writes: dict[str, Signal]) -> Signal:
        """Constants to the bank that is not read, and the change of banks between two frames.

        LOAD_ADDRESS holds the unit above the address in it, and counts up behind every word of
        LOAD_DATA. LOAD_CONTROL bit 0 asks for the change and is 1 until it is done; bit 1 is the
        bank that is read. Gives a flag: a change was asked for before all words were written.
        """
        address, count = Signal(32), Signal(range(self.words + 1))
        inside = Signal(range(2 * self.inside + 2))
        pending, refused, change = Signal(), Signal(), Signal()
        bank = Signal(reset_less=True)
        whole = count == self.words
        commit = writes["LOAD_CONTROL"] & self._wdata[0]
        m.d.comb += [
            self.load.valid.eq(writes["LOAD_DATA"] & ~pending),
            self.load.address.eq(address[: len(self.load.address)]),
            self.unit.eq(address[len(self.load.address) :]),
            self.load.data.eq(self._wdata),
            self.load.bank.eq(bank),
            self.pause.eq(pending),
            refused.eq(commit & ~whole),
            change.eq(pending & (inside == 0)),
            words["LOAD_ADDRESS"].eq(address),
            words["LOAD_CONTROL"].eq(Cat(pending, bank)),
        ]
        with m.If(writes["LOAD_ADDRESS"]):
            m.d.sync += address.eq(self._wdata)
        with m.If(self.load.valid):
            m.d.sync += address.eq(address + 1)
            with m.If(~whole):
                m.d.sync += count.eq(count + 1)
        with m.If(self.clear):
            m.d.sync += inside.eq(0)
        with m.Elif(self.first != self.done):
            m.d.sync += inside.eq(Mux(self.first, inside + 1, inside - 1))
        with m.If(commit):
            m.d.sync += [pending.eq(whole), count.eq(0)]
        with m.If(change):
            m.d.sync += pending.eq(0)
        m.d.sync += bank.eq(bank ^ change)  # without a condition, so that it is known from power-up
        return refused

    def _read(self, m: Module, words: dict[str, Signal]) -> None:
        bus = self.axil
        high = Signal(32)
        m.d.comb += [bus.arready.eq(~bus.rvalid), bus.rresp.eq(0), words["CYCLES_HI"].eq(high)]
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [bus.rvalid.eq(1), bus.rdata.eq(0)]
            with m.Switch(bus.araddr[2:]):
                for name, offset in MAP.items():
                    if name in LOADS and not self.words:
                        continue
                    with m.Case(offset >> 2):
                        m.d.sync += bus.rdata.eq(words[name])
                        if name == "CYCLES_LO":
                            m.d.sync += high.eq(self._cycles[32:])
        with m.Elif(bus.rready):
            m.d.sync += bus.rvalid.eq(0)


def _stamps(inside: int) -> Fifo:
    """When the first word of every frame inside came."""
    return Fifo(IntType.bits(32, signed=False), 1, inside, "lut")
