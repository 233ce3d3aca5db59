// Two continuous variables: estimator 1 of A. Kraskov, H. Stoegbauer, P. Grassberger, Estimating
// mutual information, Phys. Rev. E 69, 066138 (2004), doi:10.1103/PhysRevE.69.066138.
//
// For each point, r is the max-norm distance to its k-th neighbour, n_x and n_y count the points,
// itself included, strictly nearer than r on one axis:
//     MI = digamma(n) + digamma(k) - mean(digamma(n_x) + digamma(n_y))
//
// Neighbours are searched for a tile of eight points at once: points of one band that follow one
// another on the secondary axis, so that they are close on both. One candidate at a time is held
// against all eight; a scan stops where no point of the tile can improve.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "axis.hpp"
#include "bands.hpp"
#include "buffer.hpp"
#include "complete_cases.hpp"
#include "many_neighbors.hpp"
#include "members.hpp"
#include "pace.hpp"
#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// The candidates between two looks at whether to go on. At n = 8,085, ns per point for the search: with 3
// neighbours 4: 19.8, 6: 17.2, 8: 16.8, 10: 17.3, 12: 19.4. Of more neighbours each candidate costs more: with
// 10 a whole column took 97 with 8, 80 with 4, 79 with 3.
constexpr int kBatch = 8;
constexpr int batch_of(int n_neighbors) { return n_neighbors > 5 ? 4 : kBatch; }
static_assert(kBatch <= kPadLeft && kPack + kBatch <= kPadRight);

// The k smallest distances of each point of a tile, ascending.
template <int K>
struct Nearest {
    Pack distances[K];
    // a tile's own points fill the first eight
    Nearest() {
        for (int j = kPack; j < K; ++j) distances[j] = Pack::all(std::numeric_limits<double>::infinity());
    }
    const Pack& last() const { return distances[K - 1]; }
    // `held`: how many are there already
    void insert(Pack distance, int held = K) {
        if (held < K) distances[held] = held > 0 ? max(distances[held - 1], distance) : distance;
        else if (K > 1) distances[K - 1] = second_of(distances[K - 2], distances[K - 1], distance);
#pragma GCC unroll 32
        for (int j = std::min(held, K - 1) - 1; j > 0; --j) {
            distances[j] = min(distances[j], max(distances[j - 1], distance));
        }
        if (held > 0) distances[0] = min(distances[0], distance);
    }
};

template <int K>
struct Tile {
    Pack primary, secondary;
    Nearest<K> nearest;

    Tile(const double* p, const double* s) : primary(Pack::load(p)), secondary(Pack::load(s)) {}

    Pack distance(double p, double s) const {
        return max_abs(difference(Pack::all(p), primary), difference(Pack::all(s), secondary));
    }
    bool reaches_right(double s) const { return less_bits(sub(Pack::all(s), secondary), nearest.last()); }
    bool reaches_left(double s) const { return less_bits(sub(secondary, Pack::all(s)), nearest.last()); }
    bool reaches_above(double p) const { return less_bits(sub(Pack::all(p), primary), nearest.last()); }
    bool reaches_below(double p) const { return less_bits(sub(primary, Pack::all(p)), nearest.last()); }

    // The tile's own points, each but to itself.
    void insert_own(const double* p, const double* s) {
        static constexpr double infinity = std::numeric_limits<double>::infinity();
#pragma GCC unroll 8
        for (int i = 0; i < kPack; ++i) {
            alignas(64) double itself[kPack] = {};
            itself[i] = infinity;
            nearest.insert(max(distance(p[i], s[i]), Pack::load(itself)), i);
        }
    }

    // From `right` rightwards and from `left` - 1 leftwards. Whether to go on is asked one batch
    // ahead: the answer is there when it is needed, at the price of a batch too many now and then.
    static constexpr int kCandidates = batch_of(K);
    void scan(const double* p, const double* s, std::int32_t left, std::int32_t right) {
        for (bool more = reaches_right(s[right]); more; right += kCandidates) {
            more = reaches_right(s[right + kCandidates]);
            insert_batch(p + right, s + right);
        }
        for (bool more = reaches_left(s[left - 1]); more; left -= kCandidates) {
            more = reaches_left(s[left - 1 - kCandidates]);
            insert_batch(p + left - kCandidates, s + left - kCandidates);
        }
    }

    // Of many neighbours a batch that improves no point is left out, which a long scan of a tie is full of.
    void insert_batch(const double* p, const double* s) {
        Pack distances[kCandidates];
#pragma GCC unroll 8
        for (int i = 0; i < kCandidates; ++i) distances[i] = distance(p[i], s[i]);
        if (K > 5) {
            const Pack least = min(min(distances[0], distances[1]), min(distances[2], distances[3]));
            if (!less_bits(least, nearest.last())) return;
        }
#pragma GCC unroll 8
        for (int i = 0; i < kCandidates; ++i) nearest.insert(distances[i]);
    }
};

// So many neighbours are kept sorted while the search goes on: each adds 7 to 11 ns a point, to 210 at 24. To
// select them takes 215 there, and more where the target is tied.
constexpr int kMostSorted = 24;

class Kraskov {
  public:
    static constexpr bool kDiscreteColumn = false, kRanked = false;

    Kraskov(SortScratch& scratch, bool several_targets, Pace& pace)
        : sort_scratch_(scratch), several_targets_(several_targets), pace_(pace) {}

    // column: (n,) standardized; it must stay until the next
    void take(const double* column, std::int32_t n) {
        column_ = column;
        n_ = n;
        x_is_sorted_ = false;
    }

    double operator()(SortedCases& target) { return (*this)(target.with_bands(several_targets_)); }

    // target: of the samples of the column
    double operator()(const SortedSamples& target) {
        k_ = target.n_neighbors;
        digamma_ = target.digamma;
        const Ranks y(target.y);
        if (several_targets_) rank_by_samples(target);
        else rank_by_target(target);
        pace_.after(n_);
        const std::int32_t* y_rank = y_rank_.data();
        // Points that are tied in x must lie in the order of y, or a scan would pass all of them.
        const std::int32_t height = band_height(n_);
        if (x_.largest_bin() > height && x_largest_tie() > 2 * height) {
            const double share = target.tie_share < 0.0 ? Ties(y.values, n_).share : target.tie_share;
            const Bands bands = x_cutter_.cut(x_.values, n_, height, share);
            std::int32_t* x_rank = x_rank_.at_least(n_);
            for (std::int32_t i = 0; i < n_; ++i) x_rank[y_rank[i]] = i;
            layout_.fill(bands, x_.values, y.values, x_rank, n_);
            return estimate(bands, x_, y);
        }
        const Bands bands(target.bands);
        layout_.fill(bands, y.values, x_.values, y_rank, n_);
        return estimate(bands, y, x_);
    }

  private:
    SortScratch& sort_scratch_;
    const bool several_targets_;
    Pace& pace_;
    const double* column_ = nullptr;
    std::int32_t n_ = 0;
    int k_ = 0;
    const double* digamma_ = nullptr;
    bool x_is_sorted_ = false, x_has_equal_ = false;
    std::int32_t x_largest_tie_ = 0;  // 0 where it was not looked for
    // Bytes a sample, together 76.5, or 72.5 with several targets; to which come 25 for each of the 24 to 31 points around a
    // band, of which there are sqrt(n / 8).
    Axis x_;                                          //  19
    Buffer<double> ordered_;                          //   8
    Buffer<std::int32_t> x_order_, x_rank_, y_rank_;  //  12
    BandCutter x_cutter_;                             // 4.5
    Layout layout_;                                   //  17
    Buffer<double> radius_;                           //   8
    Buffer<std::int32_t> cursors_;
    ManyNeighbors many_;                              //   8, where most samples are neighbours

    // For one target: sorted in the order of the target, where a column that follows it is half sorted.
    void rank_by_target(const SortedSamples& target) {
        const double* x = gather(column_, target.order, n_, ordered_.at_least(n_));
        x_.sort(x, n_, y_rank_.at_least(n_), sort_scratch_);
        x_largest_tie_ = 0;
    }

    // For several: sorted once in the order of the samples, which takes 1 ns more.
    void rank_by_samples(const SortedSamples& target) {
        const std::int32_t n = n_;
        std::int32_t* x_order = x_order_.at_least(n);
        if (!x_is_sorted_) {
            x_.sort(column_, n, x_order, sort_scratch_);
            x_has_equal_ = any_equal(x_.values, n);
            x_largest_tie_ = 0;
            x_is_sorted_ = true;
        }
        const std::int32_t* rank_of = target.rank_of;
        std::int32_t* y_rank = y_rank_.at_least(n);
        for (std::int32_t i = 0; i < n; ++i) y_rank[i] = rank_of[x_order[i]];
        if (x_has_equal_) order_equal_by(y_rank);
    }

    std::int32_t x_largest_tie() {
        if (x_largest_tie_ == 0) x_largest_tie_ = Ties(x_.values, n_).largest;
        return x_largest_tie_;
    }

    // Whether sorted values repeat, after the noise: hardly ever.
    static bool any_equal(const double* sorted, std::int32_t n) {
        std::int32_t i = 0;
        unsigned all_less = 0xff;
        for (; i + kPack < n; i += kPack) all_less &= less_bits(Pack::load(sorted + i), Pack::load(sorted + i + 1));
        for (; i + 1 < n; ++i) all_less &= sorted[i] < sorted[i + 1] ? 0xff : 0;
        return all_less != 0xff;
    }

    // Points of one x lie in the order of y, whatever the order of the samples.
    void order_equal_by(std::int32_t* y_rank) const {
        for (std::int32_t begin = 0, i = 1; i <= n_; ++i) {
            if (i < n_ && x_.values[i] == x_.values[i - 1]) continue;
            if (i - begin > 1) std::sort(y_rank + begin, y_rank + i);
            begin = i;
        }
    }

    double information(double sum_of_digammas) const {
        return digamma_[n_] + digamma_[k_] - sum_of_digammas / n_;
    }

    double estimate(const Bands& bands, const Ranks& primary, const Ranks& secondary) {
        const bool sorted = k_ <= kMostSorted;
        const auto find = member_for<kMostSorted>(sorted ? k_ : 1, [](auto k) { return &Kraskov::find_radii<k>; });
        if (!sorted) many_.begin_column(bands, layout_, primary, k_);
        double* radius = radius_.at_least(bands.n_positions() + kPadRight);
        double sums[kPack] = {};
        for (std::int32_t band = 0; band < bands.n_bands; ++band) {
            if (sorted) (this->*find)(bands, primary, band);
            else many_.find(band, radius);
            const std::int32_t begin = bands.position(band), size = bands.size(band);
            primary.add_digammas(layout_.primary.data() + begin, radius + begin, size, digamma_, sums);
            secondary.add_digammas(layout_.secondary.data() + begin, radius + begin, size, digamma_, sums);
            pace_.after(size);
        }
        return information(sum_of(sums));
    }

    template <int K>
    void find_radii(const Bands& bands, const Ranks& primary, std::int32_t band) {
        const double* p = layout_.primary.data();
        const double* s = layout_.secondary.data();
        const std::int32_t n_bands = bands.n_bands;
        std::int32_t* cursors = cursors_.at_least(n_bands);
        for (std::int32_t b = 0; b < n_bands; ++b) cursors[b] = bands.position(b);
        const std::int32_t begin = bands.position(band);
        const std::int32_t end = begin + bands.size(band);
        for (std::int32_t at = begin; at < end; at += kPack) {
            Tile<K> tile(p + at, s + at);
            if (at + kPack > end) tile = last_tile<K>(p, s, at, end);
            tile.insert_own(p + at, s + at);
            tile.scan(p, s, at, at + kPack);
            const std::int32_t middle = std::min(at + kPack / 2, end - 1);
            // The bands on one side, as far as the tile reaches: the next one is entered where the
            // layout tells, the others from where the last tile entered them.
            const auto scan_bands = [&](int step, std::int32_t entry, auto reaches) {
                for (std::int32_t b = band + step; b >= 0 && b < n_bands && reaches(b); b += step) {
                    if (b != band + step) {
                        entry = cursors[b];
                        while (s[entry] < s[middle]) ++entry;
                        cursors[b] = entry;
                    }
                    tile.scan(p, s, entry, entry);
                }
            };
            const Layout::Entry entered = layout_.entries[at / kPack];
            scan_bands(+1, entered.above, [&](std::int32_t b) {
                return tile.reaches_above(primary.values[bands.first[b]]);
            });
            scan_bands(-1, entered.below, [&](std::int32_t b) {
                return tile.reaches_below(primary.values[bands.first[b + 1] - 1]);
            });
            tile.nearest.last().store(radius_.data() + at);
        }
    }

    // The points behind the end of the band are copies of the last one.
    template <int K>
    static Tile<K> last_tile(const double* p, const double* s, std::int32_t at, std::int32_t end) {
        double tile_p[kPack], tile_s[kPack];
        for (int i = 0; i < kPack; ++i) {
            tile_p[i] = p[std::min(at + i, end - 1)];
            tile_s[i] = s[std::min(at + i, end - 1)];
        }
        return Tile<K>(tile_p, tile_s);
    }
};

}  // namespace skpar::SKPAR_ISA
