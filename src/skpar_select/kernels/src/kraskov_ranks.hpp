// Two continuous variables in rank space: the estimator of kraskov.hpp, where both are replaced by
// their ranks 0 .. n - 1.
//
// A rank is a small integer, so that twice or four times as many fit a vector; a tile is as many points
// as do. How many ranks are nearer than r to a rank follows from the two numbers alone. The points of
// a sample lie in bands of 2**m ranks of the target, and within a band in the order of the column.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "candidates.hpp"
#include "column.hpp"
#include "members.hpp"
#include "pace.hpp"
#include "ranking.hpp"
#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// The sum of n products of two ranks, up to n**3 / 3.
__extension__ using Product = __int128;

// The points of one column, band by band, with room between bands that a scan may overrun.
template <class T>
struct RankLayout {
    using Pack = IntegerPack<T>;
    static constexpr std::int32_t kTile = Pack::kSize;
    // At n = 8,085, ns a sample for search and counts of 3 neighbours: 4: 10.4, 6: 9.1, 8: 9.0; of 10: 18.7, 19.3, 21.7.
    static constexpr std::int32_t kBatch = 6;
    // A rank from everywhere, and no difference overflows: ranks are less than kFar.
    static constexpr T kFar = static_cast<T>(T(1) << (8 * sizeof(T) - 2));
    static constexpr T kFarRight = static_cast<T>(kFar + (kFar - 1));
    static constexpr std::int32_t kPadLeft = 2 * kBatch;
    static constexpr std::int32_t kPadRight = kTile + 2 * kBatch;

    std::int32_t n = 0, n_bands = 0, log_height = 0, log_step = 0;
    T *target_rank = nullptr, *column_rank = nullptr;

    std::int32_t first(std::int32_t band) const { return band << log_height; }
    std::int32_t end(std::int32_t band) const { return std::min(n, (band + 1) << log_height); }
    std::int32_t position(std::int32_t band) const { return first(band) + band * (kPadLeft + kPadRight) + kPadLeft; }
    // For each band, where the ranks of a column begin that are about this one.
    const std::int32_t* entries(std::int32_t rank) const { return entries_.data() + std::int64_t(rank >> log_step) * n_bands; }

    // order: (n,) the samples by the column; rank_of: of each sample, by the target. Bands are about
    // sqrt(area * n) ranks high. Returns the sum of the products of both ranks.
    Product fill(const std::int32_t* order, const std::int32_t* rank_of, std::int32_t n_samples, std::int32_t area) {
        n = n_samples;
        log_height = 1;
        while ((std::int64_t(1) << (2 * log_height + 1)) < std::int64_t(area) * n) ++log_height;
        n_bands = ((n - 1) >> log_height) + 1;
        log_step = 4;
        while ((std::int32_t(1) << log_step) < n_bands) ++log_step;
        const std::int64_t size = std::int64_t(n) + std::int64_t(n_bands) * (kPadLeft + kPadRight);
        target_rank = target_ranks_.at_least(size);
        column_rank = column_ranks_.at_least(size);
        std::int32_t* next = next_.at_least(n_bands);
        for (std::int32_t b = 0; b < n_bands; ++b) {
            next[b] = position(b);
            const std::int32_t behind = next[b] + end(b) - first(b);
            std::fill(target_rank + next[b] - kPadLeft, target_rank + next[b], 0);
            std::fill(column_rank + next[b] - kPadLeft, column_rank + next[b], static_cast<T>(-kFar));
            std::fill(target_rank + behind, target_rank + behind + kPadRight, 0);
            std::fill(column_rank + behind, column_rank + behind + kPadRight, kFarRight);
        }
        std::int32_t* row = entries_.at_least(std::int64_t(((n - 1) >> log_step) + 1) * n_bands);
        T *p = target_rank, *s = column_rank;
        const int shift = log_height;
        Product sum = 0;
        for (std::int32_t begin = 0; begin < n; begin += 1 << log_step, row += n_bands) {
            std::copy(next, next + n_bands, row);
            const std::int32_t stop = std::min(n, begin + (1 << log_step));
            for (std::int32_t rank = begin; rank < stop; ++rank) {
                const std::int32_t of_target = rank_of[order[rank]];
                const std::int32_t at = next[of_target >> shift]++;
                p[at] = static_cast<T>(of_target);
                s[at] = static_cast<T>(rank);
                sum += std::int64_t(of_target) * rank;
            }
        }
        return sum;
    }

  private:
    Buffer<T> target_ranks_, column_ranks_;
    Buffer<std::int32_t> next_, entries_;
};

// The k smallest distances of each point of a tile, ascending.
template <class T, int K>
struct NearestRanks {
    using Pack = IntegerPack<T>;
    Pack distances[K];
    NearestRanks() { std::fill(distances, distances + K, Pack::all(RankLayout<T>::kFar)); }
    const Pack& last() const { return distances[K - 1]; }
    void insert(Pack distance) {
#pragma GCC unroll 16
        for (int j = K - 1; j > 0; --j) distances[j] = min(distances[j], max(distances[j - 1], distance));
        distances[0] = min(distances[0], distance);
    }
};

template <class T, int K>
struct RankTile {
    using Pack = IntegerPack<T>;
    static constexpr int kBatch = RankLayout<T>::kBatch;
    Pack primary, secondary;
    NearestRanks<T, K> nearest;

    RankTile(Pack p, Pack s) : primary(p), secondary(s) {}

    Pack distance(T p, T s) const {
        return max(abs(primary - Pack::all(p)), abs(secondary - Pack::all(s)));
    }
    bool reaches_right(T s) const { return any_less(Pack::all(s) - secondary, nearest.last()); }
    bool reaches_left(T s) const { return any_less(secondary - Pack::all(s), nearest.last()); }
    bool reaches_above(T p) const { return any_less(Pack::all(p) - primary, nearest.last()); }
    bool reaches_below(T p) const { return any_less(primary - Pack::all(p), nearest.last()); }

    // The tile's own points. No two points are of one rank: what is 0 away is the point itself.
    void insert_own(const T* p, const T* s) {
        const Pack zero = Pack::all(0), far = Pack::all(RankLayout<T>::kFar);
        for (int i = 0; i < Pack::kSize; ++i) {
            nearest.insert(Pack::each([](auto d, auto z, auto f) { return d == z ? f : d; }, distance(p[i], s[i]), zero, far));
        }
    }

    void scan(const T* p, const T* s, std::int32_t left, std::int32_t right) {
        for (bool more = reaches_right(s[right]); more; right += kBatch) {
            more = reaches_right(s[right + kBatch]);
#pragma GCC unroll 8
            for (int i = 0; i < kBatch; ++i) nearest.insert(distance(p[right + i], s[right + i]));
        }
        for (bool more = reaches_left(s[left - 1]); more; left -= kBatch) {
            more = reaches_left(s[left - 1 - kBatch]);
#pragma GCC unroll 8
            for (int i = 1; i <= kBatch; ++i) nearest.insert(distance(p[left - i], s[left - i]));
        }
    }
};

// So many neighbours are kept sorted while the search goes on; of more, all candidates are kept.
constexpr int kMostSortedRanks = 10;

template <class T>
class RankSearch {
  public:
    explicit RankSearch(Pace& pace) : pace_(pace) {}

    // As RankLayout::fill, for k neighbours.
    Product fill(const std::int32_t* order, const std::int32_t* rank_of, std::int32_t n, int k) {
        // A tile as wide as its band is high has the fewest candidates, one twice as wide as high the fewest
        // that a sorted search looks at in vain: at n = 8,085, ns a sample, 10.1 and 9.1 with 3 neighbours, 22
        // and 19 with 10, but 48 and 56 with 30.
        return layout_.fill(order, rank_of, n, k <= kMostSortedRanks ? kTile / 4 : kTile);
    }

    // counts[c] += how many of the counts, two for each point, are c
    void count(int k, std::uint32_t* counts) {
        if (k <= kMostSortedRanks) {
            const auto sorted = member_for<kMostSortedRanks>(k, [](auto one) { return &RankSearch::template count_sorted<one>; });
            (this->*sorted)(counts);
        } else {
            count_selected(k, counts);
        }
    }

  private:
    using Pack = IntegerPack<T>;
    static constexpr std::int32_t kTile = RankLayout<T>::kTile;
    Pace& pace_;
    RankLayout<T> layout_;
    Candidates<T> candidates_;

    // Calls visit(band, position, points of the tile) for each tile.
    template <class Visit>
    void for_each_tile(Visit visit) {
        for (std::int32_t band = 0; band < layout_.n_bands; ++band) {
            const std::int32_t begin = layout_.position(band), size = layout_.end(band) - layout_.first(band);
            for (std::int32_t at = begin; at < begin + size; at += kTile) {
                visit(band, at, std::min(kTile, begin + size - at));
            }
            pace_.after(size);
        }
    }

    // Loads a tile. The points behind the end of the band are copies of the last one.
    static Pack load(const T* ranks, std::int32_t size) {
        if (size == kTile) return Pack::load(ranks);
        T copies[kTile];
        for (std::int32_t i = 0; i < kTile; ++i) copies[i] = ranks[std::min(i, size - 1)];
        return Pack::load(copies);
    }

    template <int K>
    void count_sorted(std::uint32_t* counts) {
        const T *p = layout_.target_rank, *s = layout_.column_rank;
        for_each_tile([&](std::int32_t band, std::int32_t at, std::int32_t size) {
            RankTile<T, K> tile(load(p + at, size), load(s + at, size));
            tile.insert_own(p + at, s + at);
            tile.scan(p, s, at, at + kTile);
            const std::int32_t* entries = layout_.entries(s[at + size / 2]);
            for (std::int32_t b = band + 1; b < layout_.n_bands && tile.reaches_above(static_cast<T>(layout_.first(b))); ++b) {
                tile.scan(p, s, entries[b], entries[b]);
            }
            for (std::int32_t b = band - 1; b >= 0 && tile.reaches_below(static_cast<T>(layout_.end(b) - 1)); --b) {
                tile.scan(p, s, entries[b], entries[b]);
            }
            add_counts(tile.primary, tile.secondary, tile.nearest.last(), size, counts);
        });
    }

    // All points within a guess of the largest radius are candidates, and the k-th is selected of them. The
    // guess is a little more than the radius of the tile before; it grows until it is enough.
    void count_selected(int k, std::uint32_t* counts) {
        const T *p = layout_.target_rank, *s = layout_.column_rank;
        const std::int32_t n = layout_.n;
        std::int32_t guess = static_cast<std::int32_t>(0.6 * std::sqrt(double(k) * n));
        for_each_tile([&](std::int32_t band, std::int32_t at, std::int32_t size) {
            const Pack primary = load(p + at, size), secondary = load(s + at, size);
            for (;;) {
                guess = std::min(n - 1, guess);
                collect(primary, secondary, band, at, guess);
                const Pack radius = candidates_.select(k, static_cast<T>(guess));
                const std::int32_t largest = largest_of(radius);
                if (largest <= guess) {
                    add_counts(primary, secondary, radius, size, counts);
                    guess = largest + largest / 8 + 1;
                    return;
                }
                guess += guess / 2 + 1;
            }
        });
    }

    // The distances of all points that may be within `radius` of a point of the tile, itself included.
    void collect(Pack primary, Pack secondary, std::int32_t band, std::int32_t at, std::int32_t radius) {
        const T *p = layout_.target_rank, *s = layout_.column_rank;
        const std::int32_t left = least_of(secondary) - radius, right = largest_of(secondary) + radius;
        const std::int32_t bottom = least_of(primary) - radius, top = largest_of(primary) + radius;
        const std::int32_t* entries = layout_.entries(s[at]);
        candidates_.clear(layout_.n);
        const auto keep = [&](std::int32_t i) {
            const Pack distance = max(abs(primary - Pack::all(p[i])), abs(secondary - Pack::all(s[i])));
            candidates_.keep(distance, p[i] >= bottom && p[i] <= top);
        };
        const auto scan = [&](std::int32_t entry) {
            for (std::int32_t i = entry; s[i] <= right; ++i) keep(i);
            for (std::int32_t i = entry - 1; s[i] >= left; --i) keep(i);
        };
        scan(at);
        for (std::int32_t b = band + 1; b < layout_.n_bands && layout_.first(b) <= top; ++b) scan(entries[b]);
        for (std::int32_t b = band - 1; b >= 0 && layout_.end(b) > bottom; --b) scan(entries[b]);
    }

    void add_counts(Pack primary, Pack secondary, Pack radius, std::int32_t size, std::uint32_t* counts) const {
        T of_target[kTile], of_column[kTile];
        n_within(primary, radius).store(of_target);
        n_within(secondary, radius).store(of_column);
        for (std::int32_t i = 0; i < size; ++i) {
            ++counts[of_target[i]];
            ++counts[of_column[i]];
        }
    }

    // How many ranks are nearer than r, itself included.
    Pack n_within(Pack rank, Pack radius) const {
        const Pack beyond = radius - Pack::all(1);
        return min(rank + beyond, Pack::all(static_cast<T>(layout_.n - 1))) - max(rank - beyond, Pack::all(0)) + Pack::all(1);
    }
};

// A continuous column, a continuous target.
class KraskovRanks {
  public:
    static constexpr bool kDiscreteColumn = false, kRanked = true;

    KraskovRanks(SortScratch&, bool, Pace& pace) : narrow_(pace), wide_(pace) {}

    // Order a column once for all targets. x: (n,), of this range
    void take(const double* x, std::int32_t n, Range range, std::uint64_t key) {
        n_ = n;
        ranking_.sort(x, n, range, key, order_.at_least(n));
    }

    // target: of the samples of the column. The score, before it is clipped at 0.
    double operator()(const RankedSamples& target) {
        std::uint32_t* counts = counts_.at_least(n_ + kPack);
        std::fill(counts, counts + n_ + kPack, 0u);
        if (n_ <= kMostIn16Bits) search(narrow_, target, counts);
        else search(wide_, target, counts);
        // by count, so that the order of the sum does not depend on that of the points
        double sums[kPack] = {};
        for (std::int32_t c = 0; c <= n_; ++c) sums[c % kPack] += counts[c] * target.digamma[c];
        return target.digamma[n_] + target.digamma[target.n_neighbors] - sum_of(sums) / n_;
    }

    // Spearman's rank correlation of the column with the last target.
    double rho() const {
        const Product n = n_;
        return static_cast<double>(12 * products_ - 3 * n * (n - 1) * (n - 1)) / static_cast<double>(n * (n * n - 1));
    }

  private:
    // Ranks below 2**14 leave room for what is far on both sides.
    static constexpr std::int32_t kMostIn16Bits = RankLayout<std::int16_t>::kFar;
    std::int32_t n_ = 0;
    Product products_ = 0;
    // Bytes a sample, together 108:
    Ranking ranking_;                      // 24
    Buffer<std::int32_t> order_;           //  4
    Buffer<std::uint32_t> counts_;         //  4: 2 n counts, which may all be equal
    // one of them is used: ranks 8, entries 4, and 64 of candidates where most samples are neighbours
    RankSearch<std::int16_t> narrow_;
    RankSearch<std::int32_t> wide_;

    template <class Search>
    void search(Search& of_width, const RankedSamples& target, std::uint32_t* counts) {
        products_ = of_width.fill(order_.data(), target.rank_of, n_, target.n_neighbors);
        of_width.count(target.n_neighbors, counts);
    }
};

}  // namespace skpar::SKPAR_ISA
