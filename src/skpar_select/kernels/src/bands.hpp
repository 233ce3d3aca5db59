// The sample, laid out for the neighbour search: one axis (the primary) is cut into bands of
// consecutive ranks, and within a band the points lie in the order of the other (the secondary).

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

// Standardized values closer than this differ by noise alone: they are a tie.
constexpr double kTie = 100 * 1e-10;

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

struct Bands {
    std::int32_t n_bands = 0;
    Buffer<std::int32_t> first;  // (n_bands + 1,) first rank of each band
    Buffer<std::int32_t> of;     // (n,) band of each rank

    // Cut n sorted values into bands of about `height`. Ties stay in one band, however high: cut
    // apart by noise alone, each piece would have to be searched. But where the other axis is tied
    // as well, they lie in clusters; `share` of a tie make a cluster, or 0.
    void cut(const double* sorted, std::int32_t n, std::int32_t height, double share) {
        first.reserve(n / (height / 2) + 2 + n / kPack);
        of.reserve(n);
        n_bands = 0;
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
        for (std::int32_t b = 0; b < n_bands; ++b) {
            std::fill(of.data() + first[b], of.data() + first[b + 1], b);
        }
    }

    // Where band b begins among the padded points.
    std::int32_t position(std::int32_t band) const {
        return first[band] + band * (kPadLeft + kPadRight) + kPadLeft;
    }
    std::int32_t n_positions() const { return position(n_bands); }
};

// The points of one column, band by band.
struct Layout {
    Buffer<double> primary, secondary;
    Buffer<std::int32_t> above, below;  // where the same place lies in the next and previous band

    // Walk the points in secondary order and append each to its band.
    void fill(const Bands& bands, const double* primary_values, const double* secondary_values,
              const std::int32_t* primary_rank, std::int32_t n) {
        const std::int32_t size = bands.n_positions() + kPadRight;
        double* p = primary.reserve(size);
        double* s = secondary.reserve(size);
        std::int32_t* up = above.reserve(size);
        std::int32_t* down = below.reserve(size);
        std::int32_t* next = next_.reserve(bands.n_bands + 2) + 1;
        constexpr double infinity = std::numeric_limits<double>::infinity();
        for (std::int32_t b = 0; b < bands.n_bands; ++b) {
            next[b] = bands.position(b);
            const std::int32_t end = next[b] + bands.first[b + 1] - bands.first[b];
            for (std::int32_t i = 1; i <= kPadLeft; ++i) s[next[b] - i] = -infinity, p[next[b] - i] = 0.0;
            for (std::int32_t i = 0; i < kPadRight; ++i) s[end + i] = infinity, p[end + i] = 0.0;
        }
        next[-1] = next[bands.n_bands] = 0;
        for (std::int32_t i = 0; i < n; ++i) {
            const std::int32_t rank = primary_rank[i];
            const std::int32_t band = bands.of[rank];
            const std::int32_t at = next[band]++;
            s[at] = secondary_values[i];
            p[at] = primary_values[rank];
            up[at] = next[band + 1];
            down[at] = next[band - 1];
        }
    }

  private:
    Buffer<std::int32_t> next_;
};

}  // namespace skpar::SKPAR_ISA
