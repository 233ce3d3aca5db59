// The distance of each point to its k-th neighbour, for more neighbours than are kept sorted: all points
// within a radius are taken, a little more than that of the point before, and the k-th is selected of them.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "axis.hpp"
#include "bands.hpp"
#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

class ManyNeighbors {
  public:
    // All must stay until the next column.
    void begin_column(const Bands& bands, const Layout& layout, const Ranks& primary, int k) {
        bands_ = &bands;
        p_ = layout.primary.data();
        s_ = layout.secondary.data();
        primary_ = &primary;
        k_ = k;
        radius_ = 0.1;  // of a standard deviation
        entries_.at_least(bands.n_bands);
        windows_.at_least(bands.n_bands);
        near_.at_least(bands.n_positions() + 3 * kPack);
    }

    // radius[i] becomes that of the point at position i, for all points of a band.
    void find(std::int32_t band, double* radius) {
        const std::int32_t begin = bands_->position(band), end = begin + bands_->size(band);
        for (std::int32_t b = 0; b < bands_->n_bands; ++b) entries_[b] = bands_->position(b);
        for (std::int32_t at = begin; at < end; at += kPack) {
            const std::int32_t group_end = std::min(at + kPack, end);
            double reach = kMargin * radius_;
            open_windows(band, at, group_end, reach);
            for (std::int32_t i = at; i < group_end; ++i) {
                double limit = std::min(reach, kMargin * radius_);
                while (collect(p_[i], s_[i], limit) <= k_) {
                    if (limit == reach) {
                        reach = kGrowth * reach + kLeast;
                        open_windows(band, at, group_end, reach);
                    }
                    limit = std::min(reach, kGrowth * limit + kLeast);
                }
                radius[i] = radius_ = select(limit);
            }
        }
    }

  private:
    // Less fails more often, and more has more to select from.
    static constexpr double kMargin = 1.2, kGrowth = 1.5;
    // What duplicates, 0 apart, grow from; the noise is 1e-10.
    static constexpr double kLeast = 1e-12;

    // Positions of one band, eight at a time.
    struct Window {
        std::int32_t begin, end;
    };

    const Bands* bands_ = nullptr;
    const double *p_ = nullptr, *s_ = nullptr;
    const Ranks* primary_ = nullptr;
    int k_ = 0;
    double radius_ = 0.0;
    std::int32_t n_near_ = 0, n_windows_ = 0;
    Buffer<std::int32_t> entries_;
    Buffer<Window> windows_;
    Buffer<double> near_;  // 8 bytes a sample

    // Where points lie that may be within `reach` of these: the same for eight points, so that the
    // processor foresees the loops of all but the first.
    void open_windows(std::int32_t band, std::int32_t at, std::int32_t end, double reach) {
        const auto [low, high] = std::minmax_element(p_ + at, p_ + end);
        const double left = s_[at] - reach, right = s_[end - 1] + reach, bottom = *low - reach, top = *high + reach;
        n_windows_ = 0;
        const auto open = [&](std::int32_t b) {
            std::int32_t first = entries_[b];
            while (s_[first + kPack - 1] < left) first += kPack;
            while (s_[first] >= left) first -= kPack;
            entries_[b] = first;
            std::int32_t last = first;
            while (s_[last] <= right) last += kPack;
            windows_[n_windows_++] = {first, last};
        };
        const double* values = primary_->values;
        open(band);
        for (std::int32_t b = band + 1; b < bands_->n_bands && values[bands_->first[b]] <= top; ++b) open(b);
        for (std::int32_t b = band - 1; b >= 0 && values[bands_->first[b + 1] - 1] >= bottom; --b) open(b);
    }

    // The distances below the limit of all points to this one, itself included. Returns how many there are.
    std::int32_t collect(double p, double s, double limit) {
        double* near = near_.data();
        const Pack point_p = Pack::all(p), point_s = Pack::all(s), limits = Pack::all(limit);
        const double *all_p = p_, *all_s = s_;
        std::int32_t n = 0;
        for (std::int32_t w = 0, n_windows = n_windows_; w < n_windows; ++w) {
            for (std::int32_t at = windows_[w].begin, end = windows_[w].end; at < end; at += kPack) {
                const Pack distance = max_abs(sub(Pack::load(all_p + at), point_p), sub(Pack::load(all_s + at), point_s));
                n += keep_less(distance, limits, near + n);
            }
        }
        Pack::all(INFINITY).store(near + n);
        n_near_ = n;
        return n;
    }

    // The value in place k, counted from 0, for the point itself is first. It is from `low` on and below `high`:
    // a value between is tried until few are left. The number of points within a radius grows about as its square.
    double select(double limit) {
        double low = 0.0, high = limit;
        std::int32_t n_low = 0, n_high = n_near_;
        for (int pass = 0; n_high - n_low > kFew && pass < kPasses; ++pass) {
            // the third pass halves, in case that the points are clustered
            const double share = pass % 3 == 2 ? 0.5 : (k_ + 0.5 - n_low) / (n_high - n_low);
            const double middle = pass == 0 ? high * std::sqrt(share) : low + (high - low) * share;
            if (!(middle > low && middle < high)) break;
            const std::int32_t n = count_below(middle);
            const bool above = n > k_;
            high = above ? middle : high;
            n_high = above ? n : n_high;
            low = above ? low : middle;
            n_low = above ? n_low : n;
        }
        return sorted_out(low, high, k_ - n_low);
    }

    static constexpr std::int32_t kFew = 2 * kPack;
    // Then what is left is sorted: values that differ by noise alone. Three passes are usual.
    static constexpr int kPasses = 4;

    std::int32_t count_below(double limit) const {
        const Pack limits = Pack::all(limit);
        std::int32_t n = 0;
        for (std::int32_t i = 0; i < n_near_; i += kPack) n += __builtin_popcount(less_bits(Pack::load(near_.data() + i), limits));
        return n;
    }

    // The value in this place of those from `low` on and below `high`.
    double sorted_out(double low, double high, std::int32_t place) {
        double* near = near_.data();
        const Pack lows = Pack::all(low), highs = Pack::all(high), infinity = Pack::all(INFINITY);
        std::int32_t n = 0;
        for (std::int32_t i = 0; i < n_near_; i += kPack) {
            const Pack values = Pack::load(near + i);
            n += keep_less(where_less(values, lows, infinity, values), highs, near + n);
        }
        if (n > kFew) {
            std::nth_element(near, near + place, near + n);
            return near[place];
        }
        // the largest that no more than `place` are below
        infinity.store(near + n);
        if (n < kPack) infinity.store(near + kPack);
        const Pack first = Pack::load(near), second = Pack::load(near + kPack);
        double found = 0.0;
        for (std::int32_t i = 0; i < n; ++i) {
            const Pack value = Pack::all(near[i]);
            const int rank = __builtin_popcount(less_bits(first, value)) + __builtin_popcount(less_bits(second, value));
            found = rank <= place ? std::max(found, near[i]) : found;
        }
        return found;
    }
};

}  // namespace skpar::SKPAR_ISA
