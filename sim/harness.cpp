// Drives the core alone at full speed: frames from a file in, frames to a file out.
//
//   model INPUT OUTPUT FRAMES BEATS_IN BEATS_OUT PATIENCE STALL_SEED PERIOD
//
// A beat is the port's bits in 32-bit words, least first, in both files. Frame 0 goes through alone
// first, for its latency. With a STALL_SEED other than 0 source and sink pause at random.
// On stdout: "done N" now and then, at last "latency N" and "interval N", the mean of the last PERIOD
// frames rounded up (-1: not measured).

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "Vcore.h"
#include "verilated.h"

namespace {

template <typename Port> constexpr std::size_t words() { return (sizeof(Port) + 3) / 4; }

template <typename Port> void load(Port& port, const std::uint32_t* from) {
    if constexpr (sizeof(Port) < 4) {
        port = static_cast<Port>(*from);
    } else {
        std::memcpy(&port, from, sizeof(Port));
    }
}

template <typename Port> void store(const Port& port, std::uint32_t* to) {
    if constexpr (sizeof(Port) < 4) {
        *to = port;
    } else {
        std::memcpy(to, &port, sizeof(Port));
    }
}

// Pauses in stretches of different density; xorshift64 keeps them the same on every machine.
class Stalls {
public:
    explicit Stalls(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull | 1), on_(seed != 0) {}
    bool pause() {
        if (!on_) return false;
        if (left_-- == 0) {
            left_ = next() % 64;
            density_ = next() % 4;
        }
        return next() % 8 < 2 * density_;
    }

private:
    std::uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ >> 11;
    }
    std::uint64_t state_, left_ = 0, density_ = 0;
    bool on_;
};

using Input = decltype(Vcore::i_payload);
using Output = decltype(Vcore::o_payload);
using InPort = std::remove_reference_t<Input>;
using OutPort = std::remove_reference_t<Output>;

struct Run {
    Vcore& top;
    Stalls source, sink;
    std::uint64_t patience, period;
    std::vector<std::uint64_t> ends = std::vector<std::uint64_t>(period);
    std::uint64_t cycle = 0, first_in = 0, last_out = 0, interval = 0;

    void tick() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        ++cycle;
    }

    void reset() {
        top.rst = 1;
        top.i_valid = 0;
        top.o_ready = 0;
        top.clk = 0;
        for (int i = 0; i < 4; ++i) {
            top.eval();
            tick();
        }
        top.rst = 0;
    }

    // All beats through the core; false if nothing moved for too long.
    bool frames(FILE* in, FILE* out, std::uint64_t count, std::uint64_t beats_in,
                std::uint64_t beats_out, bool report) {
        const std::uint64_t total_in = count * beats_in, total_out = count * beats_out;
        std::vector<std::uint32_t> inward(words<InPort>()), outward(words<OutPort>());
        std::uint64_t sent = 0, received = 0, moved = cycle;
        bool loaded = false, offered = false;
        while (received < total_out) {
            if (!loaded && sent < total_in) {
                if (std::fread(inward.data(), 4, inward.size(), in) != inward.size()) return false;
                load(top.i_payload, inward.data());
                loaded = true;
            }
            offered = loaded && (offered || !source.pause());
            top.i_valid = offered;
            top.o_ready = !sink.pause();
            top.eval();
            const bool accepted = offered && top.i_ready, given = top.o_valid && top.o_ready;
            if (accepted) {
                if (sent % beats_in == 0) first_in = cycle;
                ++sent;
                loaded = offered = false;
            }
            if (given) {
                store(top.o_payload, outward.data());
                if (out && std::fwrite(outward.data(), 4, outward.size(), out) != outward.size())
                    return false;
                if (++received % beats_out == 0) {
                    const std::uint64_t done = received / beats_out;
                    std::uint64_t& before = ends[done % period];
                    interval = (cycle - before + period - 1) / period;
                    before = last_out = cycle;
                    if (report && done % 64 == 0) {
                        std::printf("done %llu\n", static_cast<unsigned long long>(done));
                        std::fflush(stdout);
                    }
                }
            }
            if (accepted || given) moved = cycle;
            if (cycle - moved > patience) {
                std::fprintf(stderr, "no beat moved for %llu cycles: %llu of %llu beats went in, "
                             "%llu of %llu came out\n",
                             static_cast<unsigned long long>(patience),
                             static_cast<unsigned long long>(sent),
                             static_cast<unsigned long long>(total_in),
                             static_cast<unsigned long long>(received),
                             static_cast<unsigned long long>(total_out));
                return false;
            }
            tick();
        }
        return true;
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 9) {
        std::fprintf(stderr,
                     "usage: model INPUT OUTPUT FRAMES BEATS_IN BEATS_OUT PATIENCE SEED PERIOD\n");
        return 1;
    }
    FILE* in = std::fopen(argv[1], "rb");
    FILE* out = std::fopen(argv[2], "wb");
    if (!in || !out) {
        std::perror(in ? argv[2] : argv[1]);
        return 1;
    }
    std::uint64_t number[6];
    for (int i = 0; i < 6; ++i) number[i] = std::strtoull(argv[3 + i], nullptr, 10);
    VerilatedContext context;
    Vcore top{&context};
    Run lone{top, Stalls{0}, Stalls{0}, number[3], 1};
    lone.reset();
    bool good = lone.frames(in, nullptr, 1, number[1], number[2], false);
    const std::uint64_t latency = lone.last_out - lone.first_in;
    std::rewind(in);
    Run all{top, Stalls{number[4]}, Stalls{number[4] ? number[4] + 1 : 0}, number[3],
            number[5]};
    all.reset();
    good = good && all.frames(in, out, number[0], number[1], number[2], true);
    good = std::fclose(out) == 0 && good;
    top.final();
    if (!good) return 1;
    const bool steady = number[0] > number[5] && number[4] == 0;
    std::printf("latency %llu\ninterval %lld\n", static_cast<unsigned long long>(latency),
                steady ? static_cast<long long>(all.interval) : -1ll);
    return 0;
}
