// The noise that breaks ties: a hash of (seed, column, sample), so that no generator has a state.

#pragma once

#include <cstdint>

#include "simd.hpp"

namespace skpar::SKPAR_ISA {

// Its standard deviation, where a column's is 1.
constexpr double kNoise = 1e-10;

// SplitMix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
// doi:10.1145/2660193.2660195.
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;

inline std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

inline std::uint64_t noise_key(std::uint64_t seed, std::uint64_t column) {
    return mix(mix(seed + kGolden) + column);
}

// Three uniform numbers of 21 bits each, summed: nearly normal, of unit variance, and made of
// integer operations alone, so the same on every machine.
inline double noise(std::uint64_t key, std::uint64_t i) {
    constexpr std::uint64_t mask = (1u << 21) - 1;
    const std::uint64_t bits = mix(key + kGolden * (i + 1));
    const auto sum = static_cast<std::int64_t>((bits & mask) + ((bits >> 21) & mask) + (bits >> 43));
    return (static_cast<double>(sum) - 1.5 * static_cast<double>(mask)) * (1.0 / (1 << 20));
}

}  // namespace skpar::SKPAR_ISA
