// Values that are sorted as integers: where a value lies between the lowest and the highest, in fixed point, and below
// that its index. Eight bytes, which vectors compare and exchange without a branch.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

using Key = std::int64_t;

// A key holds, from the top: bin, fraction of a bin, index.
struct KeyFormat {
    int index_bits = 1;
    int fraction_bits;

    // For n values in n bins.
    explicit KeyFormat(std::int32_t n) {
        while (std::int64_t(1) << index_bits < n) ++index_bits;
        // what is scaled must stay below 2**52, see fixed_point
        fraction_bits = std::min(51, 63 - index_bits) - index_bits;
    }
    double fractions() const { return static_cast<double>(Key(1) << fraction_bits); }
    std::int32_t bin(Key key) const { return static_cast<std::int32_t>(key >> (fraction_bits + index_bits)); }
    std::int32_t index(Key key) const { return static_cast<std::int32_t>(key & ((Key(1) << index_bits) - 1)); }
    Key key(Key place, std::int32_t index_of_value) const { return place << index_bits | index_of_value; }
};

// The whole number next to a value of 0 .. 2**52 - 1: that of its bits once 2**52 is added, on any machine.
inline Key fixed_point(double value) {
    const double shifted = value + 0x1p52;
    Key bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    return bits & ((Key(1) << 52) - 1);
}

inline void make_keys(const double* x, std::int32_t n, const BinMap& map, const KeyFormat& format, Key* keys) {
    const double low = map.low, scale = map.scale, fractions = format.fractions();
    const double last = map.n_bins * fractions - 1.0;
    const KeyFormat own = format;
    for (std::int32_t i = 0; i < n; ++i) {
        keys[i] = own.key(fixed_point(std::min((x[i] - low) * scale * fractions, last)), i);
    }
}

constexpr std::int32_t kPairs = 512;  // exchanged at a time: 8 KiB

// At n = 8,085, ns a sample of the sort, tie-free and methylation: 4: 6.1 and 10.9, 6: 6.0 and 9.4, 8: 5.5 and 8.2,
// 10: 5.6 and 7.9.
constexpr int kExchanges = 8;

inline void exchange(Key* lower, Key* upper, std::int32_t n) {
    for (std::int32_t i = 0; i < n; ++i) {
        const Key a = lower[i], b = upper[i];
        lower[i] = std::min(a, b);
        upper[i] = std::max(a, b);
    }
}

// Up to 2 kPairs keys that lie near their places: neighbours are exchanged, in each second pass those at odd
// places. Calls write(place, key) for all; a few may still be in disorder.
template <class Write>
void exchange_near(const Key* keys, std::int32_t size, Write write) {
    alignas(64) Key even[kPairs], odd[kPairs];
    const std::int32_t n_pairs = (size + 1) / 2;
    for (std::int32_t i = 0; i < size / 2; ++i) {
        even[i] = keys[2 * i];
        odd[i] = keys[2 * i + 1];
    }
    if (size % 2 != 0) {
        even[n_pairs - 1] = keys[size - 1];
        odd[n_pairs - 1] = std::numeric_limits<Key>::max();
    }
    for (int i = 0; i < kExchanges; i += 2) {
        exchange(even, odd, n_pairs);
        exchange(odd, even + 1, n_pairs - 1);
    }
    for (std::int32_t i = 0; i < size / 2; ++i) {
        write(2 * i, even[i]);
        write(2 * i + 1, odd[i]);
    }
    if (size % 2 != 0) write(size - 1, even[n_pairs - 1]);
}

// Then what still is in disorder is inserted.
inline void sort_near(const Key* keys, std::int32_t n, const double* x, const KeyFormat& format, double* sorted,
                      std::int32_t* order) {
    const KeyFormat own = format;
    for (std::int32_t begin = 0; begin < n; begin += 2 * kPairs) {
        const std::int32_t size = std::min(2 * kPairs, n - begin);
        const Key* some = keys + begin;
        std::int32_t* indices = order + begin;
        // A part of a large tie is sorted already, by its values, where its keys may not tell them apart.
        std::int32_t n_sorted = 1;
        const auto value = [=](std::int32_t i) { return x[own.index(some[i])]; };
        while (n_sorted < size && value(n_sorted - 1) <= value(n_sorted)) ++n_sorted;
        if (n_sorted == size) {
            for (std::int32_t i = 0; i < size; ++i) indices[i] = own.index(some[i]);
        } else {
            exchange_near(some, size, [=](std::int32_t i, Key key) { indices[i] = own.index(key); });
        }
    }
    for (std::int32_t i = 0; i < n; ++i) sorted[i] = x[order[i]];
    for (std::int32_t i = 1; i < n; ++i) {
        while (i + kPack <= n && less_bits(Pack::load(sorted + i), Pack::load(sorted + i - 1)) == 0) i += kPack;
        if (i == n || !(sorted[i] < sorted[i - 1])) continue;
        const double value = sorted[i];
        const std::int32_t index = order[i];
        std::int32_t j = i;
        for (; j > 0 && value < sorted[j - 1]; --j) {
            sorted[j] = sorted[j - 1];
            order[j] = order[j - 1];
        }
        sorted[j] = value;
        order[j] = index;
    }
}

}  // namespace skpar::SKPAR_ISA
