"""Driver of an accelerator made by hwgen, over a serial port or SPI, whichever ``hwgen_port`` is.
Needs numpy, and what that needs.

    from hwgen_driver import Accelerator
    accelerator = Accelerator("/dev/ttyUSB0")
    classes = accelerator.predict(images)           # (frames, ...) real numbers

or ``python hwgen_driver.py /dev/ttyUSB0 data.npz``. One request is one frame; its checksum, and a
random tag that the answer repeats, keep an answer that is damaged, late or another host's from
being taken for the right one. Two requests are under way at a time: the hardware takes in one
while it answers the other. A request without a right answer is sent again. Where the port goes
away, the driver waits for it to come back, makes sure that the same accelerator is behind it, and
goes on.

Where constants can be written, every answer also says which ones are in use; an answer of others
than the driver's is never taken: they are loaded anew, and the frame is sent again.
"""

import argparse
import secrets
import struct
import time
import zlib
from pathlib import Path

import numpy as np
from hwgen_codec import AcceleratorError, Network, frame_bytes, pack, read_weights, unpack
from hwgen_port import BITS, Port

IDENTIFY, FRAME, RESET, LOAD, COMMIT = 0x00, 0x01, 0x02, 0x03, 0x04
IDENTITY, OUTPUTS, LOADED, COMMITTED, STALE, REFUSED = 0x80, 0x81, 0x83, 0x84, 0xFE, 0xFF
BUILT_IN = 0  # the number of the constants that the bitstream came with
ATTEMPTS = 8
WINDOW = 2  # requests under way: what the hardware has memory for
OVERHEAD = 11  # bytes of a request or an answer beside its payload
PAUSE = 0.03  # seconds; longer than the 20 ms after which the hardware forgets half a request
AWAY = 10.0  # seconds in which a port that went away may come back


class OtherConstants(Exception):
    """A frame was computed with constants that are not those that were asked for."""


class LoadLost(Exception):
    """The hardware does not have the packets of constants that came before this one."""


class Link:
    """Requests and answers over a port of ``speed`` bits per second.

    ``timeout`` is in seconds and comes on top of the time that the bytes take. ``numbered``:
    answers begin with the number of the constants in use.
    """

    def __init__(self, port, speed, timeout=0.5, numbered=False):
        self.name, self.speed, self.timeout = port, speed, timeout
        self.head = 4 * numbered
        self.port = Port(port, speed)

    def close(self):
        """Closes the port."""
        self.port.close()

    def reopen(self):
        """Opens the port again, as soon as it is back.

        Raises:
            AcceleratorError: it stays away.
        """
        self.close()
        deadline = time.monotonic() + AWAY
        while True:
            try:
                self.port = Port(self.name, self.speed)
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise AcceleratorError(f"the port is gone: {error}") from None
                time.sleep(0.05)

    def ask(self, kind, payload, answer, size):
        """The payload of ``size`` bytes of the answer of kind ``answer``; errors as ``ask_all``."""
        answers = {}
        self.ask_all(kind, {0: payload}, answer, size, answers)
        return answers[0]

    def ask_all(self, kind, payloads, answer, size, answers, constants=None):
        """Puts into ``answers`` the answer to each of ``payloads``, by its key, as they come; only
        such of these ``constants``, where they are given. What is in ``answers`` is right whatever
        is raised.

        Raises:
            AcceleratorError: no right answer to one of them after some attempts.
            OtherConstants, LoadLost: the hardware says so.
            OSError: the port is gone.
        """
        sizes = {answer: self.head + size, REFUSED: self.head, STALE: self.head}
        waiting = list(reversed(payloads))
        attempts = dict.fromkeys(payloads, 0)
        pending, data = {}, b""
        deadline = time.monotonic()
        while waiting or pending:
            while waiting and len(pending) < WINDOW:
                key, tag = waiting.pop(), secrets.token_bytes(4)
                pending[tag] = key
                deadline = self._deadline(payloads[key], size, len(pending))
                self.port.write(request(kind, tag, payloads[key]), deadline)
            data += self.port.read(deadline)
            failure = ""
            while found := find_answer(data, pending, sizes):
                got, tag, payload, end = found
                data = data[end:]
                if got == REFUSED:
                    failure = "a refusal"
                    break
                if got == STALE:
                    raise LoadLost
                if self.head and constants not in (None, int.from_bytes(payload[:4], "little")):
                    raise OtherConstants
                key = pending.pop(tag)
                answers[key] = payload[self.head :]
                deadline = self._deadline(payloads[key], size, max(len(pending), 1))
            if failure or (pending and time.monotonic() >= deadline):
                self._again(failure or "no answer", pending, waiting, attempts)
                data = b""

    def _deadline(self, payload, size, requests):
        wire = BITS * requests * (len(payload) + size + 2 * OVERHEAD) / self.speed
        return time.monotonic() + wire + self.timeout

    def _again(self, failure, pending, waiting, attempts):
        """Puts what is under way back into the queue, when the line has been still for a while."""
        oldest = next(iter(pending.values()))
        attempts[oldest] += 1
        if attempts[oldest] >= ATTEMPTS:
            raise AcceleratorError(f"{failure} after {ATTEMPTS} attempts")
        waiting.extend(reversed(pending.values()))
        pending.clear()
        self.settle()

    def settle(self):
        """Waits until half a request would be forgotten, and forgets what came meanwhile."""
        time.sleep(PAUSE)
        self.port.read(time.monotonic())


def request(kind, tag, payload):
    """The bytes of one request."""
    body = bytes([kind]) + tag + payload
    return b"\xc3\x5a" + body + struct.pack("<I", zlib.crc32(body))


def find_answer(data, tags, sizes):
    """(kind, tag, payload, end) of the first whole answer in ``data`` with one of ``tags``;
    ``sizes``: payload by kind.
    """
    at = data.find(b"\x3c\xa5")
    while at >= 0:
        body = data[at + 2 :]
        if len(body) >= 5 and body[1:5] in tags and body[0] in sizes:
            end = 5 + sizes[body[0]]
            whole = len(body) >= end + 4
            if whole and struct.pack("<I", zlib.crc32(body[:end])) == body[end : end + 4]:
                return body[0], body[1:5], body[5:end], at + 2 + end + 4
        at = data.find(b"\x3c\xa5", at + 1)
    return None


def constants_number(writes):
    """What the hardware calls these constants: their checksum, but not 0 or FFFFFFFF."""
    return 1 + zlib.crc32(writes.tobytes()) % 0xFFFFFFFE


def load_packets(writes, number, chunk):
    """The payloads that carry words, ``chunk`` each; the last is filled with its last word."""
    found = []
    for start in range(0, len(writes), chunk):
        part = writes[start : start + chunk]
        part = np.concatenate([part, np.repeat(part[-1:], chunk - len(part), axis=0)])
        found.append(struct.pack("<II", number, len(found)) + part.tobytes())
    return found


class Accelerator(Network):
    """The accelerator behind a port: a serial port's name, or for SPI pyftdi's URL.

    ``timeout`` in seconds comes on top of the time of the bytes and of the network's latency.
    """

    def __init__(self, port=None, *, model=None, speed=None, timeout=0.5):
        super().__init__(model)
        self._built_in = Path(model or __file__).with_name("weights.npz")
        self._writes, self._constants = None, BUILT_IN
        latency = self.model.get("latency_cycles", 0) / self.model["clock_mhz"] / 1e6
        numbered = bool(self.model.get("load_words"))
        name, speed = port or self.model["port"], speed or self.model["speed"]
        try:
            self.link = Link(name, speed, timeout + 2 * latency, numbered)
        except OSError as error:
            raise AcceleratorError(f"the port cannot be opened: {error}") from None
        try:
            self._surely(self.reset)
        except BaseException:
            self.link.close()
            raise

    def reset(self):
        """Resets the accelerator and checks that it is the one of this driver."""
        answer = self.link.ask(RESET, b"", IDENTITY, 16)
        sizes = (frame_bytes(self.model["input"]), frame_bytes(self.model["output"]))
        expected = (b"HWG1", self.model["build_id"], *sizes)
        got = struct.unpack("<4sIII", answer)
        if got != expected:
            raise AcceleratorError(
                f"the board runs build {got[1]:#010x}, and this driver is of build "
                f"{expected[1]:#010x}: load its bitstream first"
            )

    def close(self):
        """Closes the port."""
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _surely(self, action):
        """Does ``action``; where the port goes away, again when it is back."""
        for attempt in range(ATTEMPTS):
            try:
                if attempt:
                    self.link.reopen()
                    self.reset()
                return action()
            except OSError as error:
                failure = error
        raise AcceleratorError(f"the port goes away again and again: {failure}")

    def load_weights(self, file):
        """Another network's constants, from what ``hwgen weights`` wrote for this build.

        Until all of them are there the accelerator computes with those that it has; from then on,
        between two frames, with the new ones.

        Raises:
            AcceleratorError: the file is not for this build, or the link fails.
        """
        if not self.model.get("load_words"):
            raise AcceleratorError("this accelerator was built without writable layers")
        writes, decoding = read_weights(file, self.model)
        self._surely(lambda: self._load(writes))
        self.model["decoding"] = decoding

    def _load(self, writes):
        """Sends all words and commits them; from the first again where the hardware lost them."""
        number = constants_number(writes)
        packets = load_packets(writes, number, self.model["load_chunk"])
        for _ in range(ATTEMPTS):
            try:
                for packet in packets:
                    self.link.ask(LOAD, packet, LOADED, 0)
                self.link.ask(COMMIT, struct.pack("<II", number, len(packets)), COMMITTED, 0)
            except LoadLost:
                self.link.settle()
                continue
            self._writes, self._constants = writes, number
            return
        raise AcceleratorError("the constants do not stay on the board while they are loaded")

    def _load_again(self):
        """The constants of the last ``load_weights``, or those of the build."""
        self.link.settle()
        if self._writes is None:
            self._writes = read_weights(self._built_in, self.model)[0]
        self._load(self._writes)

    def run_codes(self, codes):
        """Integers (frames, elements) in stream order to integers in stream order."""
        port = self.model["output"]
        size = frame_bytes(port)
        frames = pack(np.asarray(codes), self.model["input"])
        answers = {}
        self._surely(lambda: self._run_frames(frames, size, answers))
        whole = b"".join(answers[i] for i in range(len(frames)))
        return unpack(np.frombuffer(whole, np.uint8).reshape(len(frames), size), port)

    def _run_frames(self, frames, size, answers):
        """The answers that are not there yet, all of the constants that are loaded."""
        for _ in range(ATTEMPTS):
            left = {i: f.tobytes() for i, f in enumerate(frames) if i not in answers}
            try:
                return self.link.ask_all(FRAME, left, OUTPUTS, size, answers, self._constants)
            except OtherConstants:
                self._load_again()
        raise AcceleratorError("the board's constants change again and again: another program "
                               "loads its own")  # fmt: skip


def main():
    """Prints the predictions of a data set, and its accuracy where it has labels."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("port")
    parser.add_argument("data", help="an .npz file with x, and y where there are labels")
    parser.add_argument("--weights", help="constants to load first, from hwgen weights")
    options = parser.parse_args()
    with np.load(options.data, allow_pickle=False) as file:
        x, y = file["x"], file["y"] if "y" in file.files else None
    with Accelerator(options.port) as accelerator:
        if options.weights:
            accelerator.load_weights(options.weights)
        began = time.perf_counter()
        classes = accelerator.predict(x)
        seconds = time.perf_counter() - began
    print(*classes, sep="\n")
    print(f"{len(x) / seconds:.1f} frames/s")
    if y is not None:
        print(f"accuracy {100 * np.mean(classes == y.ravel()):.2f} %")


if __name__ == "__main__":
    main()
