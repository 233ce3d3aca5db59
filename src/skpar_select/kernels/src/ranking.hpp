// A column becomes an order of its samples: by value, ties at random, keyed by (seed, column, sample).
//
// A sample is one integer: its value in fixed point, 31 bits, then bits of its hash, then its index. These are
// sorted. What the rounding to 31 bits made equal is compared again, as it was given.

#pragma once

#include <algorithm>
#include <cstdint>

#include "buffer.hpp"
#include "column.hpp"
#include "keys.hpp"
#include "noise.hpp"

namespace skpar::SKPAR_ISA {

// Breaks ties: 32 bits for each sample. Where they are equal the sample of the lower index comes first.
inline std::uint32_t tie_hash(std::uint64_t noise_of, std::int32_t sample) {
    return static_cast<std::uint32_t>(mix(noise_of + kGolden * (static_cast<std::uint64_t>(sample) + 1)) >> 32);
}

// Whether sample i comes before sample j, of the same value.
inline bool breaks_tie(std::uint64_t noise_of, std::int32_t i, std::int32_t j) {
    const std::uint32_t hash_i = tie_hash(noise_of, i), hash_j = tie_hash(noise_of, j);
    return hash_i < hash_j || (hash_i == hash_j && i < j);
}

class Ranking {
  public:
    // order[rank] becomes the sample of that rank. x: (n,) finite, of this range; noise_of: the noise_key
    void sort(const double* x, std::int32_t n, Range range, std::uint64_t noise_of, std::int32_t* order) {
        const KeyFormat format(n);
        const int index_bits = format.index_bits;
        Key* keys = keys_.at_least(n);
        Key* placed = placed_.at_least(n);
        make_keys(x, n, range, noise_of, index_bits, keys);
        const Key n_bins = n;
        const auto bin_of = [n_bins](Key key) { return ((key >> 32) * n_bins) >> 31; };
        std::int32_t* ends = ends_.at_least(2 * (std::int64_t(n) + 1));
        if (count(keys, n, n_bins, bin_of, ends) > n / 8) {
            // Many ties: they come out of a bin in the order of their hash if they went in like that.
            const int hash_bits = std::min(index_bits - 1, 32 - index_bits);
            const auto hash_of = [hash_bits](Key key) { return (key & 0xffffffff) >> (32 - hash_bits); };
            std::int32_t* hash_ends = ends + n + 1;
            count(keys, n, Key(1) << hash_bits, hash_of, hash_ends);
            scatter(keys, n, hash_of, hash_ends, placed);
            std::swap(keys, placed);
        }
        scatter(keys, n, bin_of, ends, placed);
        for (std::int32_t b = 0, begin = 0; b < n; ++b) {
            const std::int32_t size = ends[b] - begin;
            if (size > kOverfull) part(placed + begin, keys, size, ends + n + 1);
            begin += size;
        }
        for (std::int32_t begin = 0; begin < n; begin += 2 * kPairs) {
            Key* some = keys + begin;
            exchange_near(placed + begin, std::min(2 * kPairs, n - begin), [some](std::int32_t i, Key key) { some[i] = key; });
        }
        insert_rest(keys, n);
        settle(x, n, noise_of, format, keys);
        for (std::int32_t i = 0; i < n; ++i) order[i] = format.index(keys[i]);
    }

  private:
    static constexpr std::int32_t kCrowded = 8, kOverfull = 14;
    // Bytes a sample, together 24:
    Buffer<Key> keys_, placed_;  // 16
    Buffer<std::int32_t> ends_;  //  8

    static void make_keys(const double* x, std::int32_t n, Range range, std::uint64_t noise_of, int index_bits,
                          Key* keys) {
        constexpr double largest = 2147483647.0;
        // huge and denormal values are brought to where their range and its reciprocal are numbers
        const double greatest = std::max(-range.low, range.high);
        const double factor = greatest > 0x1p+900 ? 0x1p-500 : greatest < 0x1p-500 ? 0x1p+500 : 1.0;
        const double low = range.low * factor, width = range.high * factor - low;
        const double scale = width > 0.0 ? largest / width : 0.0;
        const std::uint32_t hash_mask = ~std::uint32_t(0) << index_bits;
        for (std::int32_t i = 0; i < n; ++i) {
            const Key value = fixed_point(std::min((x[i] * factor - low) * scale, largest));
            keys[i] = value << 32 | (tie_hash(noise_of, i) & hash_mask) | i;
        }
    }

    // Returns how many keys are in crowded bins.
    template <class BinOf>
    static std::int32_t count(const Key* keys, std::int32_t n, Key n_bins, BinOf bin_of, std::int32_t* ends) {
        std::fill(ends, ends + n_bins + 1, 0);
        for (std::int32_t i = 0; i < n; ++i) ++ends[bin_of(keys[i]) + 1];
        std::int32_t n_crowded = 0, rank = 0;
        for (Key b = 1; b <= n_bins; ++b) {
            n_crowded += ends[b] > kCrowded ? ends[b] : 0;
            ends[b] = rank += ends[b];
        }
        return n_crowded;
    }

    // Then ends[bin] is where it ends.
    template <class BinOf>
    static void scatter(const Key* keys, std::int32_t n, BinOf bin_of, std::int32_t* ends, Key* out) {
        for (std::int32_t i = 0; i < n; ++i) out[ends[bin_of(keys[i])]++] = keys[i];
    }

    // Spread the keys of an overfull bin over bins of their own, unless they are sorted: a tie may be.
    static void part(Key* keys, Key* scratch, std::int32_t n, std::int32_t* ends) {
        bool is_sorted = true;
        for (std::int32_t i = 1; i < n; ++i) is_sorted &= keys[i - 1] < keys[i];
        if (is_sorted) return;
        Key low = keys[0], high = keys[0];
        for (std::int32_t i = 1; i < n; ++i) {
            low = std::min(low, keys[i]);
            high = std::max(high, keys[i]);
        }
        int shift = 0;
        while ((high - low) >> shift >= Key(1) << 31) ++shift;
        const Key scale = (Key(n) << 31) / (((high - low) >> shift) + 1);
        const auto bin_of = [=](Key key) { return (((key - low) >> shift) * scale) >> 31; };
        const std::int32_t n_crowded = count(keys, n, n, bin_of, ends);
        scatter(keys, n, bin_of, ends, scratch);
        std::copy(scratch, scratch + n, keys);
        if (n_crowded == 0) return;
        for (std::int32_t b = 0, begin = 0; b < n; ++b) {
            if (ends[b] - begin > kCrowded) std::sort(keys + begin, keys + ends[b]);
            begin = ends[b];
        }
    }

    static void insert_rest(Key* keys, std::int32_t n) {
        for (std::int32_t i = 1; i < n; ++i) {
            if (i + kPack <= n) {
                bool any = false;
                for (int lane = 0; lane < kPack; ++lane) any |= keys[i + lane] < keys[i + lane - 1];
                if (!any) {
                    i += kPack - 1;
                    continue;
                }
            }
            const Key key = keys[i];
            std::int32_t j = i;
            for (; j > 0 && key < keys[j - 1]; --j) keys[j] = keys[j - 1];
            keys[j] = key;
        }
    }

    // Samples of one fixed-point number are brought into the order of their values, and those of one
    // value into that of their whole hash.
    static void settle(const double* x, std::int32_t n, std::uint64_t noise_of, KeyFormat format, Key* keys) {
        const int index_bits = format.index_bits;
        const auto sample_of = [=](Key key) { return format.index(key); };
        const auto before = [=](Key a, Key b) {
            const std::int32_t sample_a = sample_of(a), sample_b = sample_of(b);
            if (x[sample_a] != x[sample_b]) return x[sample_a] < x[sample_b];
            if ((a ^ b) >> index_bits != 0) return a < b;
            return breaks_tie(noise_of, sample_a, sample_b);
        };
        const auto same = [keys](std::int32_t i) { return (keys[i] ^ keys[i - 1]) >> 32 == 0; };
        // of two that are the same: whether the bits of the key may have put them into the wrong order
        const auto doubtful = [=](std::int32_t i) {
            const double last = x[sample_of(keys[i - 1])], value = x[sample_of(keys[i])];
            return (last >= value) & ((last != value) | ((keys[i] ^ keys[i - 1]) >> index_bits == 0));
        };
        for (std::int32_t begin = 1; begin < n; begin += kPack) {
            const std::int32_t size = std::min(kPack, n - begin);
            bool any = false;
            for (std::int32_t i = begin; i < begin + size; ++i) any |= same(i);
            if (!any) continue;
            any = false;
            for (std::int32_t i = begin; i < begin + size; ++i) any |= same(i) & doubtful(i);
            if (!any) continue;
            std::int32_t first = begin, end = begin + size;
            while (first > 0 && same(first)) --first;
            while (end < n && same(end)) ++end;
            for (std::int32_t i = first; i < end;) {
                const std::int32_t run = i++;
                while (i < end && same(i)) ++i;
                std::sort(keys + run, keys + i, before);
            }
            begin = end - kPack;  // goes on at the end
        }
    }
};

}  // namespace skpar::SKPAR_ISA
