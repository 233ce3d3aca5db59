// A column as it lies in memory becomes doubles; a continuous one is centred, scaled to unit
// deviation, and gets a noise of 1e-10 against ties, keyed by (seed, column).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "axis.hpp"
#include "block.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

constexpr double kNoise = 1e-10;

// SplitMix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
// doi:10.1145/2660193.2660195.
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;

inline std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Three uniform numbers of 21 bits each, summed: nearly normal, of unit variance, and made of
// integer operations alone, so the same on every machine.
inline double noise(std::uint64_t key, std::uint64_t i) {
    constexpr std::uint64_t mask = (1u << 21) - 1;
    const std::uint64_t bits = mix(key + kGolden * (i + 1));
    const auto sum = static_cast<std::int64_t>((bits & mask) + ((bits >> 21) & mask) + (bits >> 43));
    return (static_cast<double>(sum) - 1.5 * static_cast<double>(mask)) * (1.0 / (1 << 20));
}

inline std::uint64_t noise_key(std::uint64_t seed, std::uint64_t column) {
    return mix(mix(seed + kGolden) + column);
}

// float16 by its bits: exact, and the same on machines without a conversion instruction.
struct Half {
    std::uint16_t bits;
    operator double() const {
        const int exponent = (bits >> 10) & 31;
        const int fraction = bits & 1023;
        double magnitude;
        if (exponent == 31) {
            magnitude = fraction ? NAN : INFINITY;
        } else if (exponent == 0) {
            magnitude = fraction * 0x1p-24;
        } else {
            const std::uint64_t wide = (std::uint64_t(exponent + 1008) << 52) | (std::uint64_t(fraction) << 42);
            std::memcpy(&magnitude, &wide, sizeof magnitude);
        }
        return bits & 0x8000 ? -magnitude : magnitude;
    }
};

template <class T>
void cast_columns(const Block& block, std::int64_t first, int width, double* out) {
    const char* corner = block.data + first * block.column_stride;
    const auto value = [](const char* p) {
        T number;
        std::memcpy(&number, p, sizeof number);
        return static_cast<double>(number);
    };
    const std::int64_t n = block.n_samples;
    if (width == 1) {
        for (std::int64_t i = 0; i < n; ++i) out[i] = value(corner + i * block.row_stride);
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        const char* row = corner + i * block.row_stride;
        for (int j = 0; j < width; ++j) out[j * n + i] = value(row + j * block.column_stride);
    }
}

// Columns first .. first + width - 1 as doubles, one after another in `out`.
inline void cast_columns(const Block& block, std::int64_t first, int width, double* out) {
    switch (block.type) {
        case Type::float16: return cast_columns<Half>(block, first, width, out);
        case Type::float32: return cast_columns<float>(block, first, width, out);
        case Type::float64: return cast_columns<double>(block, first, width, out);
        case Type::int8: return cast_columns<std::int8_t>(block, first, width, out);
        case Type::int16: return cast_columns<std::int16_t>(block, first, width, out);
        case Type::int32: return cast_columns<std::int32_t>(block, first, width, out);
        case Type::int64: return cast_columns<std::int64_t>(block, first, width, out);
        case Type::uint8: return cast_columns<std::uint8_t>(block, first, width, out);
        case Type::uint16: return cast_columns<std::uint16_t>(block, first, width, out);
        case Type::uint32: return cast_columns<std::uint32_t>(block, first, width, out);
        case Type::uint64: return cast_columns<std::uint64_t>(block, first, width, out);
    }
}

// The sum of f(x[i]) in eight partial sums, i modulo 8: the same order whatever the lanes.
template <class F>
double ordered_sum(const double* x, std::int64_t n, F f) {
    double sums[kPack] = {};
    Pack sum = Pack::load(sums);
    std::int64_t i = 0;
    for (; i + kPack <= n; i += kPack) sum = add(sum, f(Pack::load(x + i)));
    sum.store(sums);
    for (; i < n; ++i) {
        double term[kPack];
        f(Pack::all(x[i])).store(term);
        sums[i % kPack] += term[0];
    }
    return sum_of(sums);
}

// False where a value is NaN or infinite.
inline bool all_finite(const double* x, std::int64_t n) {
    // x * 0 is 0 for a finite x and NaN otherwise
    const double sum = ordered_sum(x, n, [](Pack a) { return mul(a, Pack::all(0.0)); });
    return sum == 0.0;
}

inline double largest_magnitude(const double* x, std::int64_t n) {
    Pack largest = Pack::all(0.0);
    std::int64_t i = 0;
    for (; i + kPack <= n; i += kPack) largest = max_abs(largest, Pack::load(x + i));
    double lanes[kPack];
    largest.store(lanes);
    for (; i < n; ++i) lanes[0] = std::max(lanes[0], std::fabs(x[i]));
    return *std::max_element(lanes, lanes + kPack);
}

// Centre, scale to unit population deviation and jitter, in place. Centring first keeps the signal
// of a column with a large offset (scikit-learn scales the noise by the mean: its issue 30772).
inline void standardize(double* x, std::int64_t n, std::uint64_t seed, std::uint64_t column) {
    double largest = largest_magnitude(x, n);
    if (largest > 0x1p+400 || (largest < 0x1p-400 && largest > 0.0)) {
        // powers of two bring huge and denormal values to where squares stay in range, exactly
        const int exponent = std::ilogb(largest);
        for (std::int64_t i = 0; i < n; ++i) x[i] = std::ldexp(x[i], -exponent);
        largest = std::ldexp(largest, -exponent);
    }
    // summed from the first value on: the rounding of a plain sum is a spread of its own in a constant column
    const double origin = x[0];
    const double shift =
        ordered_sum(x, n, [origin](Pack a) { return sub(a, Pack::all(origin)); }) / static_cast<double>(n);
    const double mean = origin + shift;
    const double square = ordered_sum(x, n, [mean](Pack a) {
        const Pack centred = sub(a, Pack::all(mean));
        return mul(centred, centred);
    });
    const double deviation = std::sqrt(square / static_cast<double>(n));
    // a spread below the rounding of the values is no spread: such a column counts as constant
    const double scale = deviation > 4e-16 * largest ? 1.0 / deviation : 0.0;
    const std::uint64_t key = noise_key(seed, column);
    for (std::int64_t i = 0; i < n; ++i) {
        x[i] = (x[i] - mean) * scale + kNoise * noise(key, static_cast<std::uint64_t>(i));
    }
}

}  // namespace skpar::SKPAR_ISA
