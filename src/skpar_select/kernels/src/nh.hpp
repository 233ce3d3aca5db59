// NH with 128-bit sums, the first layer of VMAC (T. Krovetz and W. Dai, 2007,
// https://www.ietf.org/archive/id/draft-krovetz-vmac-01.txt): 1 KiB becomes 16 bytes at the speed of
// memory. Of two different blocks that were chosen without regard to the keys, at most one pair in
// 2**64 has the same 16 bytes.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace skpar {

constexpr std::size_t nh_block = 1024;
constexpr std::size_t nh_bytes = 16;
constexpr std::size_t nh_words = nh_block / 8;

constexpr std::array<std::uint64_t, nh_words> make_nh_keys() {
    std::array<std::uint64_t, nh_words> keys{};
    std::uint64_t state = 0;
    for (std::uint64_t& key : keys) {
        // SplitMix64: G. L. Steele, D. Lea and C. H. Flood (2014), doi:10.1145/2714064.2660195.
        std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        key = z ^ (z >> 31);
    }
    return keys;
}

inline void nh(const std::uint8_t* block, std::uint8_t* out) {
    static constexpr std::array<std::uint64_t, nh_words> keys = make_nh_keys();
    unsigned __int128 sum = 0;
    for (std::size_t i = 0; i < nh_words; i += 2) {
        std::uint64_t pair[2];
        std::memcpy(pair, block + 8 * i, sizeof pair);
        sum += static_cast<unsigned __int128>(pair[0] + keys[i]) * (pair[1] + keys[i + 1]);
    }
    const std::uint64_t halves[2] = {static_cast<std::uint64_t>(sum), static_cast<std::uint64_t>(sum >> 64)};
    std::memcpy(out, halves, sizeof halves);
}

// `out` has nh_bytes for every block that is begun; the last is filled up with zeros.
inline void compress(const std::uint8_t* raw, std::size_t size, std::uint8_t* out) {
    for (; size >= nh_block; size -= nh_block, raw += nh_block, out += nh_bytes) nh(raw, out);
    if (size) {
        std::uint8_t last[nh_block] = {};
        std::memcpy(last, raw, size);
        nh(last, out);
    }
}

}  // namespace skpar
