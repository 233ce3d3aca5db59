// One variable, sorted, with a table from value to rank: built in linear time, it answers "how many
// values are strictly nearer than r" in a few instructions.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

struct Item {
    double value;
    std::int32_t id;
};

inline bool operator<(const Item& a, const Item& b) { return a.value < b.value; }

// A linear map from values to cells 0 .. n_cells - 1, monotone also after rounding.
struct CellMap {
    double low = 0.0;
    double scale = 0.0;
    std::int32_t n_cells = 1;

    CellMap() = default;
    CellMap(double low_value, double high_value, std::int32_t cells) : n_cells(cells) {
        // where the range or its reciprocal overflows, one cell takes all values
        const double per_value = cells / (high_value - low_value);
        if (!(per_value > 0.0 && per_value <= std::numeric_limits<double>::max())) return;
        low = low_value;
        scale = per_value;
    }
    // the cell of a value between low and high
    std::int32_t operator()(double value) const {
        return static_cast<std::int32_t>(std::min((value - low) * scale, n_cells - 1.0));
    }
    // of any value: n_cells above high
    std::int32_t clamped(double value) const {
        return static_cast<std::int32_t>(std::min(std::max((value - low) * scale, 0.0), double(n_cells)));
    }
};

inline void insertion_sort(Item* items, std::int32_t n) {
    for (std::int32_t i = 1; i < n; ++i) {
        const Item item = items[i];
        std::int32_t j = i;
        for (; j > 0 && item < items[j - 1]; --j) items[j] = items[j - 1];
        items[j] = item;
    }
}

// A cell of more values than this gets a table of its own: ties that differ by noise alone, and
// the dense part of a column with heavy tails, end up in one cell of the first table.
constexpr std::int32_t kCrowded = 6;

// Deeper than two tables, values are sorted only.
inline void sort_deep(Item* items, std::int32_t n) {
    if (n <= 4 * kCrowded) insertion_sort(items, n);
    else std::stable_sort(items, items + n);
}

// Eight partial sums in an order that never changes.
inline double sum_of(const double* sums) {
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

class Axis {
  public:
    std::int32_t n = 0;

    const double* values() const { return values_.data() + kPack; }
    std::int32_t largest_cell() const { return largest_cell_; }

    // Sort x; order[rank] becomes the position in x. Equal values keep their order.
    void sort(const double* x, std::int32_t size, std::int32_t* order) {
        const auto [low, high] = range(x, size);
        allocate(size, low, high);
        std::int32_t* cells = cells_.reserve(size);
        Item* items = items_.reserve(size);
        Item* spread = spread_.reserve(size);
        for (std::int32_t i = 0; i < size; ++i) cells[i] = map_(x[i]);
        std::int32_t* start = start_.data();
        for (std::int32_t i = 0; i < size; ++i) ++start[cells[i] + 2];
        largest_cell_ = accumulate(start, map_.n_cells, 0);
        for (std::int32_t i = 0; i < size; ++i) items[start[cells[i] + 1]++] = {x[i], i};
        if (largest_cell_ > kCrowded) {
            part_crowded([=](std::int32_t begin, std::int32_t end, const CellMap& map, std::int32_t* inner) {
                for (std::int32_t i = begin; i < end; ++i) {
                    spread[inner[map(items[i].value) + 1]++] = items[i];
                }
                std::copy(spread + begin, spread + end, items + begin);
                for (std::int32_t c = 0; c < map.n_cells; ++c) {
                    if (inner[c + 1] - inner[c] > kCrowded) {
                        sort_deep(items + inner[c], inner[c + 1] - inner[c]);
                    }
                }
            }, [=](std::int32_t i) { return items[i].value; });
        }
        insertion_sort(items, size);
        double* sorted = values_.data() + kPack;
        for (std::int32_t i = 0; i < size; ++i) {
            sorted[i] = items[i].value;
            order[i] = items[i].id;
        }
    }

    // Take values that are sorted already.
    void assign(const double* sorted, std::int32_t size) {
        allocate(size, sorted[0], sorted[size - 1]);
        std::copy(sorted, sorted + size, values_.data() + kPack);
        std::int32_t* start = start_.data();
        for (std::int32_t i = 0; i < size; ++i) ++start[map_(sorted[i]) + 2];
        accumulate(start, map_.n_cells, 0);
        for (std::int32_t i = 0; i < size; ++i) ++start[map_(sorted[i]) + 1];
        part_crowded([=](std::int32_t begin, std::int32_t end, const CellMap& map, std::int32_t* inner) {
            for (std::int32_t i = begin; i < end; ++i) ++inner[map(sorted[i]) + 1];
        }, [=](std::int32_t i) { return sorted[i]; });
    }

    // sums[i % 8] += digamma(the number of values v with |v - x[i]| < r[i]) for i = 0 .. size - 1.
    // The difference is what is compared, as in the search for the neighbours: a search for the
    // bound x + r would round onto the neighbour itself and count it. A radius of 0 still counts
    // the value and its duplicates, as scikit-learn does.
    void add_digammas(const double* x, const double* r, std::int32_t size, const double* digamma,
                      double* sums) const {
        std::int32_t i = 0;
        for (; i + kPack <= size; i += kPack) {
            std::int32_t counts[kPack];
            count_within(x + i, r + i, counts);
            for (int lane = 0; lane < kPack; ++lane) sums[lane] += digamma[counts[lane]];
        }
        if (i < size) {
            double rest_x[kPack] = {}, rest_r[kPack] = {};
            std::copy(x + i, x + size, rest_x);
            std::copy(r + i, r + size, rest_r);
            std::int32_t counts[kPack];
            count_within(rest_x, rest_r, counts);
            for (int lane = 0; lane < size - i; ++lane) sums[lane] += digamma[counts[lane]];
        }
    }

    struct Range {
        double low, high;
    };

    static Range range(const double* x, std::int32_t size) {
        double lows[kPack], highs[kPack];
        std::fill(lows, lows + kPack, x[0]);
        std::fill(highs, highs + kPack, x[0]);
        Pack low = Pack::load(lows), high = low;
        std::int32_t i = 0;
        for (; i + kPack <= size; i += kPack) {
            const Pack a = Pack::load(x + i);
            low = min(low, a);
            high = max(high, a);
        }
        low.store(lows);
        high.store(highs);
        for (; i < size; ++i) {
            lows[0] = std::min(lows[0], x[i]);
            highs[0] = std::max(highs[0], x[i]);
        }
        return {*std::min_element(lows, lows + kPack), *std::max_element(highs, highs + kPack)};
    }

  private:
    struct Inner {
        CellMap map;
        std::int32_t* start;
    };

    Buffer<double> values_;  // with eight sentinels on either side
    CellMap map_;
    std::int32_t largest_cell_ = 0;
    Buffer<std::int32_t> start_;  // rank of each cell's first value, then n; ~i for inner table i
    Buffer<Inner> inner_;
    Buffer<std::int32_t> cells_;
    Buffer<Item> items_, spread_;

    void allocate(std::int32_t size, double low, double high) {
        n = size;
        map_ = CellMap(low, high, size);
        double* v = values_.reserve(size + 2 * kPack);
        std::fill(v, v + kPack, -std::numeric_limits<double>::infinity());
        std::fill(v + kPack + size, v + 2 * kPack + size, std::numeric_limits<double>::infinity());
        const std::int32_t most_inner = size / kCrowded + 1;
        inner_.reserve(most_inner);
        std::int32_t* start = start_.reserve(2 * (std::int64_t(size) + 2 + most_inner));
        std::fill(start, start + size + 2, 0);
    }

    // Counts at start[cell + 2] become ranks at start[cell + 1]; returns the largest count.
    static std::int32_t accumulate(std::int32_t* start, std::int32_t n_cells, std::int32_t rank) {
        std::int32_t largest = 0;
        start[0] = start[1] = rank;
        for (std::int32_t c = 2; c < n_cells + 2; ++c) {
            largest = std::max(largest, start[c]);
            rank += start[c];
            start[c] = rank;
        }
        return largest;
    }

    // Give each crowded cell a table of its own. `fill` moves the values begin .. end - 1 to their
    // inner cells and advances inner[cell + 1] from the rank of the cell's first value to its end.
    template <class Fill, class Value>
    void part_crowded(Fill fill, Value value) {
        std::int32_t* start = start_.data();
        std::int32_t* free = start + map_.n_cells + 2;
        std::int32_t n_inner = 0, end = 0;
        for (std::int32_t c = 0; c < map_.n_cells; ++c) {
            const std::int32_t begin = end;
            end = start[c + 1];
            const std::int32_t count = end - begin;
            if (count <= kCrowded) continue;
            double low = value(begin), high = low;
            for (std::int32_t i = begin + 1; i < end; ++i) {
                low = std::min(low, value(i));
                high = std::max(high, value(i));
            }
            if (low == high) continue;
            const Inner inner = {CellMap(low, high, count), free};
            std::fill(free, free + count + 2, 0);
            for (std::int32_t i = begin; i < end; ++i) ++free[inner.map(value(i)) + 2];
            accumulate(free, count, begin);
            fill(begin, end, inner.map, free);
            free += count + 2;
            inner_[n_inner] = inner;
            start[c] = ~n_inner++;
        }
    }

    // The rank of the first value of the cell that `value` falls in.
    std::int32_t rank_near(std::int32_t cell, double value) const {
        const std::int32_t rank = start_[cell];
        if (rank >= 0) return rank;
        const Inner& inner = inner_[~rank];
        return inner.start[inner.map.clamped(value)];
    }

    void count_within(const double* x, const double* radius, std::int32_t* counts) const {
        double r[kPack];
        max(Pack::load(radius), Pack::all(std::numeric_limits<double>::denorm_min())).store(r);
        std::int32_t upper[kPack], lower[kPack];
        for (int i = 0; i < kPack; ++i) {
            upper[i] = map_.clamped(x[i] + r[i]);
            lower[i] = map_.clamped(x[i] - r[i]);
        }
        for (int i = 0; i < kPack; ++i) {
            const std::int32_t end = end_of_near(rank_near(upper[i], x[i] + r[i]), x[i], r[i]);
            counts[i] = end - begin_of_near(rank_near(lower[i], x[i] - r[i]), x[i], r[i]);
        }
    }

    // The first rank whose value v has v - x >= r.
    std::int32_t end_of_near(std::int32_t start, double x, double r) const {
        const Pack window = Pack::load(values() + start - 1);
        const unsigned left = less_bits(sub(window, Pack::all(x)), Pack::all(r));
        return border(start, left, [=](double value) { return value - x < r; });
    }

    // The first rank whose value v has x - v < r.
    std::int32_t begin_of_near(std::int32_t start, double x, double r) const {
        const Pack window = Pack::load(values() + start - 1);
        const unsigned near = less_bits(sub(Pack::all(x), window), Pack::all(r));
        return border(start, ~near & 0xff, [=](double value) { return !(x - value < r); });
    }

    // The rank behind the last value that belongs left. The window of eight values begins one
    // before the cell, so that an empty or a full prefix (rare) tells that the border lies outside.
    template <class Predicate>
    std::int32_t border(std::int32_t start, unsigned left, Predicate belongs_left) const {
        const int length = prefix_length(left);
        if (length > 0 && length < kPack) return start - 1 + length;
        const double* v = values();
        std::int32_t first = start - 1, last = start - 1, step = kPack;
        if (length == 0) {
            while (first > 0 && !belongs_left(v[first - 1])) {
                last = first - 1;
                first = std::max(first - step, 0);
                step *= 2;
            }
            first = std::max(first - 1, 0);
        } else {
            first = std::min(start - 1 + kPack, n);
            last = first;
            while (last < n && belongs_left(v[last])) {
                first = last + 1;
                last = n - last > step ? last + step : n;
                step *= 2;
            }
        }
        while (first < last) {
            const std::int32_t middle = first + (last - first) / 2;
            if (belongs_left(v[middle])) first = middle + 1;
            else last = middle;
        }
        return first;
    }
};

}  // namespace skpar::SKPAR_ISA
