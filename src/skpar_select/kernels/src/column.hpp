// A column as it lies in memory becomes doubles; a continuous one is centred, scaled to unit
// deviation, and gets a noise of 1e-10 against ties, keyed by (seed, column).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "block.hpp"
#include "noise.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

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
void cast_columns(const Block& block, const std::int64_t* positions, int width, double* out) {
    const auto value = [](const char* p) {
        T number;
        std::memcpy(&number, p, sizeof number);
        return static_cast<double>(number);
    };
    const std::int64_t n = block.n_samples;
    const char* top[kPack];
    for (int j = 0; j < width; ++j) top[j] = block.data + positions[j] * block.column_stride;
    if (width == 1) {
        for (std::int64_t i = 0; i < n; ++i) out[i] = value(top[0] + i * block.row_stride);
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        for (int j = 0; j < width; ++j) out[j * n + i] = value(top[j] + i * block.row_stride);
    }
}

// Up to eight columns of a block as doubles, one after another in `out`.
inline void cast_columns(const Block& block, const std::int64_t* positions, int width, double* out) {
    switch (block.type) {
#define SKPAR_CAST(name, type, code, bits) \
    case Type::name: return cast_columns<type>(block, positions, width, out);
        SKPAR_DTYPES(SKPAR_CAST)
#undef SKPAR_CAST
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

struct Range {
    double low, high;
};

inline Range range_of(const double* x, std::int64_t n) {
    Pack low = Pack::all(x[0]), high = low;
    std::int64_t i = 0;
    for (; i + kPack <= n; i += kPack) {
        low = min(low, Pack::load(x + i));
        high = max(high, Pack::load(x + i));
    }
    for (; i < n; ++i) {
        low = min(low, Pack::all(x[i]));
        high = max(high, Pack::all(x[i]));
    }
    double lows[kPack], highs[kPack];
    low.store(lows);
    high.store(highs);
    return {*std::min_element(lows, lows + kPack), *std::max_element(highs, highs + kPack)};
}

// Of the values that are not NaN. Infinite values do not count among them, but are in the range.
struct PresentRange {
    Range range;
    std::int64_t n;
};

inline PresentRange range_of_present(const double* x, std::int64_t n) {
    const Pack one = Pack::all(1.0), zero = Pack::all(0.0);
    Pack low = Pack::all(INFINITY), high = Pack::all(-INFINITY), count = zero;
    const auto look_at = [&](Pack values) {
        low = min(low, or_else(values, low));
        high = max(high, or_else(values, high));
        return or_else(add(mul(values, zero), one), zero);
    };
    std::int64_t i = 0, rest = 0;
    for (; i + kPack <= n; i += kPack) count = add(count, look_at(Pack::load(x + i)));
    for (; i < n; ++i) {
        double counts[kPack];
        look_at(Pack::all(x[i])).store(counts);
        rest += counts[0] > 0.0;
    }
    double lows[kPack], highs[kPack], counts[kPack];
    low.store(lows);
    high.store(highs);
    count.store(counts);
    return {{*std::min_element(lows, lows + kPack), *std::max_element(highs, highs + kPack)},
            static_cast<std::int64_t>(sum_of(counts)) + rest};
}

// How a column is centred and scaled.
struct Scaling {
    double mean;
    double factor;  // 0 where the column is constant

    bool is_constant() const { return factor == 0.0; }
};

// Finds it. Huge and tiny values are brought into range, in place.
inline Scaling scaling_of(double* x, std::int64_t n) {
    const Range range = range_of(x, n);
    if (range.low == range.high) return {x[0], 0.0};
    double largest = std::max(-range.low, range.high);
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
    return {mean, deviation > 4e-16 * largest ? 1.0 / deviation : 0.0};
}

// Centre, scale to unit population deviation and jitter, in place. Centring first keeps the signal
// of a column with a large offset (scikit-learn scales the noise by the mean: its issue 30772).
inline void standardize(double* x, std::int64_t n, Scaling scaling, std::uint64_t seed, std::uint64_t column) {
    const auto [mean, factor] = scaling;
    const std::uint64_t key = noise_key(seed, column);
    for (std::int64_t i = 0; i < n; ++i) {
        x[i] = (x[i] - mean) * factor + kNoise * noise(key, static_cast<std::uint64_t>(i));
    }
}

// The noise of each sample, as standardize adds it.
inline const double* fill_noise(double* out, std::int64_t n, std::uint64_t seed, std::uint64_t column) {
    const std::uint64_t key = noise_key(seed, column);
    for (std::int64_t i = 0; i < n; ++i) out[i] = kNoise * noise(key, static_cast<std::uint64_t>(i));
    return out;
}

// The values in the order of the target.
inline const double* gather(const double* column, const std::int32_t* order, std::int32_t n, double* out) {
    for (std::int32_t i = 0; i < n; ++i) out[i] = column[order[i]];
    return out;
}

}  // namespace skpar::SKPAR_ISA
