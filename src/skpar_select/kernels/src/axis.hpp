// One variable, sorted, with a table from value to rank: it is built in linear time, and answers "how
// many values are strictly nearer than r" in a few instructions.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "column.hpp"
#include "keys.hpp"
#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// Monotone also after rounding. Where the range or its reciprocal overflows, one bin takes all values.
inline BinMap map_to_bins(double low, double high, std::int32_t n_bins) {
    const double per_value = n_bins / (high - low);
    if (per_value > 0.0 && per_value <= std::numeric_limits<double>::max()) return {low, per_value, n_bins};
    return {0.0, 0.0, n_bins};
}

// The bin of a value between low and high.
inline std::int32_t bin_of(const BinMap& map, double value) {
    return static_cast<std::int32_t>(std::min((value - map.low) * map.scale, map.n_bins - 1.0));
}

// The bin of any finite value: n_bins above high. An infinite value times a scale of 0 would be NaN,
// which has no conversion to an integer. But all values that are looked up are finite: a column is
// checked when it is cast, a target when it is made, both are below 1e100, and so is a radius, for
// it is the distance of two values.
inline std::int32_t clamped_bin_of(const BinMap& map, double value) {
    return static_cast<std::int32_t>(std::min(std::max((value - map.low) * map.scale, 0.0), double(map.n_bins)));
}

inline Pack clamped_bin_of(const BinMap& map, Pack value) {
    const Pack bin = mul(sub(value, Pack::all(map.low)), Pack::all(map.scale));
    return min(max(bin, Pack::all(0.0)), Pack::all(map.n_bins));
}

// A bin of more values than this gets a table of its own: large ties that differ by noise alone, and
// the dense part of a column with heavy tails, end up in one bin of the first table.
constexpr std::int32_t kOverfull = 14;

// The values around a bound that are looked at: eight, or sixteen where bins are crowded. At n = 8,085, ns a sample of
// all counts, tie-free and methylation: 9.4 and 15.6 with eight, 11.5 and 12.5 with sixteen.
constexpr int kNarrow = kPack, kWide = 2 * kPack;

// Counts the values in bins that eight do not span and that have no table of their own.
struct Crowd {
    std::int32_t n_values = 0;

    void add(std::int32_t in_bin) { n_values += in_bin >= kNarrow && in_bin <= kOverfull ? in_bin : 0; }
    bool is_large(std::int32_t n) const { return n_values > n / 16; }
};

// What a sorted variable is asked.
struct Ranks : RankTable {
    Ranks() = default;
    explicit Ranks(const RankTable& table) : RankTable(table) {}

    double value(std::int32_t rank) const { return values[rank]; }

    // sums[i % 8] += digamma(the number of values v with |v - x[i]| < r[i]) for i = 0 .. size - 1.
    // The difference is what is compared, as in the search for the neighbours: a search for the
    // bound x + r would round onto the neighbour itself and count it. A radius of 0 still counts
    // the value and its duplicates, as scikit-learn does.
    void add_digammas(const double* x, const double* r, std::int32_t size, const double* digamma,
                      double* sums) const {
        for (std::int32_t i = 0; i < size; i += kBlock) {
            const std::int32_t n_left = std::min(kBlock, size - i);
            if (crowded) add_block<kWide>(x + i, r + i, n_left, digamma, sums);
            else add_block<kNarrow>(x + i, r + i, n_left, digamma, sums);
        }
    }

  private:
    static constexpr std::int32_t kBlock = 256;

    // In steps, each for the whole block: a look-up waits for four that follow one another, bin, rank, values and
    // digamma, and a processor has more of them under way where one step is short: 9.5 ns a sample in place of 11.0,
    // and 13.5 in place of 19.4 where many look-ups need an inner table, which are told apart before.
    template <int kWindow>
    void add_block(const double* x, const double* r, std::int32_t size, const double* digamma, double* sums) const {
        // of the upper bounds, then of the lower ones
        std::int32_t near[2 * kBlock], overfull[2 * kBlock];
        std::int32_t i = 0;
        for (; i + kPack <= size; i += kPack) find_bins(x + i, r + i, near + i);
        if (i < size) {
            double rest_x[kPack] = {}, rest_r[kPack] = {};
            std::copy(x + i, x + size, rest_x);
            std::copy(r + i, r + size, rest_r);
            find_bins(rest_x, rest_r, near + i);
        }
        const std::int32_t* starts = start;
        std::int32_t n_overfull = 0;
        const auto look_up = [&](std::int32_t begin, std::int32_t end) {
            for (std::int32_t j = begin; j < end; ++j) {
                near[j] = starts[near[j]];
                overfull[n_overfull] = j;
                n_overfull += near[j] < 0;
            }
        };
        look_up(0, size);
        look_up(kBlock, kBlock + size);
        for (std::int32_t j = 0; j < n_overfull; ++j) {
            const std::int32_t at = overfull[j];
            const InnerTable& table = inner[~near[at]];
            const double bound = at < kBlock ? x[at] + reach(r[at]) : x[at - kBlock] - reach(r[at - kBlock]);
            near[at] = table.start[clamped_bin_of(table.map, bound)];
        }
        for (i = 0; i < size; ++i) {
            const double within = reach(r[i]);
            near[i] = end_of_near<kWindow>(near[i], x[i], within) - begin_of_near<kWindow>(near[kBlock + i], x[i], within);
        }
        for (i = 0; i + kPack <= size; i += kPack) {
            for (int lane = 0; lane < kPack; ++lane) sums[lane] += digamma[near[i + lane]];
        }
        for (int lane = 0; i < size; ++i, ++lane) sums[lane] += digamma[near[i]];
    }

    // A radius of 0 counts the value itself.
    static double reach(double r) { return std::max(r, std::numeric_limits<double>::denorm_min()); }

    void find_bins(const double* x, const double* r, std::int32_t* bins) const {
        const Pack at = Pack::load(x);
        const Pack within = max(Pack::load(r), Pack::all(std::numeric_limits<double>::denorm_min()));
        store_whole(bins, clamped_bin_of(map, add(at, within)));
        store_whole(bins + kBlock, clamped_bin_of(map, sub(at, within)));
    }

    // The first rank whose value v has v - x >= r.
    template <int kWindow>
    std::int32_t end_of_near(std::int32_t near, double x, double r) const {
        unsigned left = 0;
        for (int i = 0; i < kWindow; i += kPack) {
            left |= less_bits(sub(Pack::load(values + near - 1 + i), Pack::all(x)), Pack::all(r)) << i;
        }
        return boundary<kWindow>(near, left, [=](double value) { return value - x < r; });
    }

    // The first rank whose value v has x - v < r.
    template <int kWindow>
    std::int32_t begin_of_near(std::int32_t near, double x, double r) const {
        unsigned right = 0;
        for (int i = 0; i < kWindow; i += kPack) {
            right |= less_bits(sub(Pack::all(x), Pack::load(values + near - 1 + i)), Pack::all(r)) << i;
        }
        const unsigned left = ~right & ((1u << kWindow) - 1);
        return boundary<kWindow>(near, left, [=](double value) { return !(x - value < r); });
    }

    // The rank behind the last value that belongs left. The window of values begins one before rank
    // `near`, so that an empty or a full prefix (rare) tells that the boundary lies outside: then it is
    // searched in steps that double, and then by halves.
    template <int kWindow, class Predicate>
    std::int32_t boundary(std::int32_t near, unsigned left, Predicate belongs_left) const {
        const int length = prefix_length(left);
        if (length > 0 && length < kWindow) return near - 1 + length;
        std::int32_t first = near - 1, last = near - 1, step = kPack;
        if (length == 0) {
            while (first > 0 && !belongs_left(values[first - 1])) {
                last = first - 1;
                first = std::max(first - step, 0);
                step *= 2;
            }
            first = std::max(first - 1, 0);
        } else {
            first = std::min(near - 1 + kWindow, n);
            last = first;
            while (last < n && belongs_left(values[last])) {
                first = last + 1;
                last = n - last > step ? last + step : n;
                step *= 2;
            }
        }
        while (first < last) {
            const std::int32_t middle = first + (last - first) / 2;
            if (belongs_left(values[middle])) first = middle + 1;
            else last = middle;
        }
        return first;
    }
};

// What only sorting needs. Bytes a sample, together 16:
struct SortScratch {
    Buffer<Key> keys;    // 8
    Buffer<Key> placed;  // 8
};

// Sorts a variable and makes its tables.
class Axis : public Ranks {
  public:
    // Sort x; order[rank] becomes the position in x. Equal values keep their order.
    void sort(const double* x, std::int32_t size, std::int32_t* order, SortScratch& scratch) {
        const auto [low, high] = range_of(x, size);
        double* sorted = room_for(size);
        std::int32_t* ends = allocate(low, high);
        Key* keys = scratch.keys.at_least(size);
        Key* placed = scratch.placed.at_least(size);
        const KeyFormat format(size);
        make_keys(x, size, map, format, keys);
        for (std::int32_t i = 0; i < size; ++i) ++ends[format.bin(keys[i]) + 1];
        Crowd crowd;
        for (std::int32_t b = 1; b <= size; ++b) crowd.add(ends[b]);
        crowded = crowd.is_large(size);
        largest_bin_ = accumulate(ends, map.n_bins, 0);
        for (std::int32_t i = 0; i < size; ++i) placed[ends[format.bin(keys[i])]++] = keys[i];
        if (largest_bin_ > kOverfull) part_overfull(x, format, placed, keys, sorted);
        sort_near(placed, size, x, format, sorted, order);
    }

    // Where `size` values are to be written in ascending order, before `index`.
    double* room_for(std::int32_t size) {
        double* padded = values_.at_least(size + kPack + kWide);
        std::fill(padded, padded + kPack, -std::numeric_limits<double>::infinity());
        std::fill(padded + kPack + size, padded + kPack + size + kWide, std::numeric_limits<double>::infinity());
        n = size;
        values = padded + kPack;
        return padded + kPack;
    }

    // Make the tables of values that lie sorted already.
    void index() {
        const double* sorted = values;
        std::int32_t* starts = allocate(sorted[0], sorted[n - 1]) - 1;
        find_starts(sorted, 0, n, map, starts);
        std::int32_t* free = starts + map.n_bins + 2;
        std::int32_t n_inner = 0;
        Crowd crowd;
        for (std::int32_t b = 0, end = 0, n_bins = map.n_bins; b < n_bins; ++b) {
            const std::int32_t begin = end;
            end = starts[b + 1];
            crowd.add(end - begin);
            if (end - begin <= kOverfull || sorted[begin] == sorted[end - 1]) continue;
            const BinMap part = map_to_bins(sorted[begin], sorted[end - 1], end - begin);
            std::fill(free, free + (end - begin) + 2, 0);
            find_starts(sorted, begin, end, part, free);
            inner_[n_inner] = {part, free};
            free += end - begin + 2;
            starts[b] = ~n_inner++;
        }
        crowded = crowd.is_large(n);
    }

    // Number of values in the largest bin of the last sort.
    std::int32_t largest_bin() const { return largest_bin_; }

  private:
    std::int32_t largest_bin_ = 0;
    // Bytes a sample, together 19:
    Buffer<double> values_;       //  8
    Buffer<std::int32_t> start_;  //  9: 4 for a bin, 4 for an inner bin, 8 for every fifteenth
    Buffer<InnerTable> inner_;    //  2: 32 for every fifteenth

    // Returns where the ends of the bins are to be counted, see accumulate.
    std::int32_t* allocate(double low, double high) {
        const std::int32_t most_inner = n / (kOverfull + 1);
        InnerTable* tables = inner_.at_least(most_inner);
        std::int32_t* starts = start_.at_least(2 * (std::int64_t(n) + 2 + most_inner));
        std::fill(starts, starts + n + 2, 0);
        static_cast<RankTable&>(*this) = {n, values, map_to_bins(low, high, n), starts, tables, false};
        return starts + 1;
    }

    // starts[bin] of a table that is 0 becomes the rank of the bin's first value, for the sorted
    // values begin .. end - 1. The last of a bin's values to be written is its end; no count is
    // read back, which takes half the time of counting.
    static void find_starts(const double* sorted, std::int32_t begin, std::int32_t end, BinMap part,
                            std::int32_t* starts) {
        for (std::int32_t i = begin; i < end; ++i) starts[bin_of(part, sorted[i]) + 1] = i + 1;
        std::int32_t rank = begin;
        for (std::int32_t b = 0; b <= part.n_bins; ++b) starts[b] = rank = std::max(rank, starts[b]);
    }

    // The number of values in each bin, at ends[bin + 1], becomes the rank of the bin's first value, at
    // ends[bin]. Who then places the values advances ends[bin] to the bin's end, so that the table
    // of starts lies one before `ends`. Returns the largest number.
    static std::int32_t accumulate(std::int32_t* ends, std::int32_t n_bins, std::int32_t rank) {
        std::int32_t largest = 0;
        ends[-1] = ends[0] = rank;
        for (std::int32_t b = 1; b <= n_bins; ++b) {
            largest = std::max(largest, ends[b]);
            rank += ends[b];
            ends[b] = rank;
        }
        return largest;
    }

    // Give each overfull bin a table of its own, and its keys a fraction of that table's range. `value` and `spare` are
    // scratch for n values and keys.
    void part_overfull(const double* x, const KeyFormat& format, Key* keys, Key* spare, double* value) {
        std::int32_t* starts = start_.data();
        std::int32_t* free = starts + map.n_bins + 2;
        std::int32_t n_inner = 0, end = 0;
        for (std::int32_t b = 0, n_bins = map.n_bins; b < n_bins; ++b) {
            const std::int32_t begin = end;
            end = starts[b + 1];
            const std::int32_t count = end - begin;
            if (count <= kOverfull) continue;
            double low = x[format.index(keys[begin])], high = low;
            for (std::int32_t i = 0; i < count; ++i) {
                value[i] = x[format.index(keys[begin + i])];
                low = std::min(low, value[i]);
                high = std::max(high, value[i]);
            }
            if (low == high) continue;
            const BinMap part = map_to_bins(low, high, count);
            std::fill(free, free + count + 2, 0);
            std::int32_t* ends = free + 1;
            const double fractions = format.fractions() / count;
            for (std::int32_t i = 0; i < count; ++i) {
                const double place = std::min((value[i] - part.low) * part.scale * fractions, format.fractions() - 1.0);
                spare[i] = format.key(Key(b) << format.fraction_bits | fixed_point(place), format.index(keys[begin + i]));
                ++ends[bin_of(part, value[i]) + 1];
            }
            accumulate(ends, count, begin);
            for (std::int32_t i = 0; i < count; ++i) keys[ends[bin_of(part, value[i])]++] = spare[i];
            for (std::int32_t i = 0, first = begin; i < count; first = ends[i++]) {
                if (ends[i] - first > kOverfull) sort_deep(x, format, keys + first, keys + ends[i]);
            }
            inner_[n_inner] = {part, free};
            free += count + 2;
            starts[b] = ~n_inner++;
        }
    }

    // Deeper than two tables, values are sorted only: by their keys, and by the values where many keys are the same but
    // for the index.
    static void sort_deep(const double* x, const KeyFormat& format, Key* begin, Key* end) {
        std::sort(begin, end);
        for (Key *i = begin, *first = begin; i < end; first = i) {
            while (i < end && *i >> format.index_bits == *first >> format.index_bits) ++i;
            if (i - first <= kExchanges) continue;
            std::sort(first, i, [=](Key a, Key b) {
                const std::int32_t j = format.index(a), k = format.index(b);
                return x[j] < x[k] || (x[j] == x[k] && j < k);
            });
        }
    }
};

}  // namespace skpar::SKPAR_ISA
