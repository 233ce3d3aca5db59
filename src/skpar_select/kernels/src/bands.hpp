// The sample, laid out for the neighbour search: one axis (the primary) is cut into bands of
// consecutive ranks, and within a band the points lie in the order of the other (the secondary).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "noise.hpp"
#include "simd.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// Standardized values closer than this differ by noise alone: they are a tie.
constexpr double kTie = 100 * kNoise;

// Points on either side of a band that are infinitely far, so that a scan needs no check for the
// band's end: a tile and a batch may overrun it.
constexpr std::int32_t kPadLeft = 8;
constexpr std::int32_t kPadRight = 16;

// Bands are about as high as a tile is wide: sqrt(8 n) ranks.
inline std::int32_t band_height(std::int32_t n) {
    return std::max(kPack, static_cast<std::int32_t>(std::sqrt(8.0 * n)));
}

inline bool tied(const double* sorted, std::int32_t rank) {
    return sorted[rank] - sorted[rank - 1] < kTie;
}

// How far one axis is made of ties.
struct Ties {
    std::int32_t largest = 1;  // samples in the largest tie
    double share = 0.0;        // of all samples in a typical tie, if most samples are in large ones

    Ties(const double* sorted, std::int32_t n) {
        std::int32_t in_large = 0;
        double squares = 0.0;
        for (std::int32_t begin = 0, i = 1; i <= n; ++i) {
            if (i < n && tied(sorted, i)) continue;
            const std::int32_t size = i - begin;
            largest = std::max(largest, size);
            if (size > 8 * kPack) {
                in_large += size;
                squares += double(size) * size;
            }
            begin = i;
        }
        if (in_large > n / 10 * 9) share = squares / n / n;
    }
};

struct Bands : BandTable {
    Bands() = default;
    explicit Bands(const BandTable& table) : BandTable(table) {}

    std::int32_t size(std::int32_t band) const { return first[band + 1] - first[band]; }
    // Where a band begins among the padded points: at a multiple of eight, so that tiles lie in line with the cache.
    std::int32_t position(std::int32_t band) const {
        return (first[band] + 7 * band) / 8 * 8 + band * (kPadLeft + kPadRight) + kPadLeft;
    }
    std::int32_t n_positions() const { return position(n_bands); }
};

class BandCutter {
  public:
    // Cut n sorted values into bands of about `height`. Ties stay in one band, however high: cut
    // apart by noise alone, each piece would have to be searched. But where the other axis is tied
    // as well, they lie in clusters; `share` of a tie make a cluster, or 0. The bands are valid until
    // the next cut.
    Bands cut(const double* sorted, std::int32_t n, std::int32_t height, double share) {
        std::int32_t* first = first_.at_least(n / (height / 2) + 2 + n / kPack);
        std::int32_t* of = of_.at_least(n);
        std::int32_t n_bands = 0;
        for (std::int32_t begin = 0; begin < n;) {
            std::int32_t end = std::min(begin + height, n);
            if (n - end < height / 2) end = n;
            std::int32_t pieces = 1;
            if (end < n && tied(sorted, end)) {
                std::int32_t tie_begin = end, tie_end = end;
                while (tie_begin > begin && tied(sorted, tie_begin)) --tie_begin;
                while (tie_end < n && tied(sorted, tie_end)) ++tie_end;
                end = tie_begin - begin >= height / 2 ? tie_begin : tie_end;
                const double cluster = (end - begin) * share;
                if (end == tie_end) pieces = std::max(1, static_cast<int>(std::sqrt(cluster / kPack)));
            }
            for (std::int32_t i = 0; i < pieces; ++i) {
                first[n_bands] = begin + static_cast<std::int32_t>(std::int64_t(end - begin) * i / pieces);
                ++n_bands;
            }
            begin = end;
        }
        first[n_bands] = n;
        for (std::int32_t b = 0; b < n_bands; ++b) std::fill(of + first[b], of + first[b + 1], b);
        return Bands({n_bands, first, of});
    }

  private:
    Buffer<std::int32_t> first_;  // 1/2 byte a sample
    Buffer<std::int32_t> of_;     // 4
};

// The points of one column, band by band.
struct Layout {
    Buffer<double> primary, secondary;  // 8 + 8 bytes a sample
    // Where the middle of a tile lies in the next and in the previous band.
    struct Entry {
        std::int32_t above, below;
    };
    Buffer<Entry> entries;  // 1, for each tile

    // Walk the points in secondary order and append each to its band.
    void fill(const Bands& bands, const double* primary_values, const double* secondary_values,
              const std::int32_t* primary_rank, std::int32_t n) {
        const std::int32_t size = bands.n_positions() + kPadRight;
        double* p = primary.at_least(size);
        double* s = secondary.at_least(size);
        Entry* entry = entries.at_least(size / kPack + 1);
        std::int32_t* next = next_.at_least(bands.n_bands + 2) + 1;
        constexpr double infinity = std::numeric_limits<double>::infinity();
        for (std::int32_t b = 0; b < bands.n_bands; ++b) {
            next[b] = bands.position(b);
            const std::int32_t end = next[b] + bands.size(b);
            const auto pad = [p, s](std::int32_t begin, std::int32_t n_padded, double value) {
                std::fill(s + begin, s + begin + n_padded, value);
                std::fill(p + begin, p + begin + n_padded, 0.0);
            };
            pad(next[b] - kPadLeft, kPadLeft, -infinity);
            pad(end, kPadRight, infinity);
        }
        next[-1] = next[bands.n_bands] = 0;
        for (std::int32_t i = 0; i < n; ++i) {
            const std::int32_t rank = primary_rank[i];
            const std::int32_t band = bands.of[rank];
            const std::int32_t at = next[band]++;
            s[at] = secondary_values[i];
            p[at] = primary_values[rank];
            // what the fifth point of a tile writes stays, or the last one
            entry[(at + kPack / 2 - 1) / kPack] = {next[band + 1], next[band - 1]};
        }
    }

  private:
    Buffer<std::int32_t> next_;
};

}  // namespace skpar::SKPAR_ISA
