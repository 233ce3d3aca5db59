// The hot path of the extension, compiled once for each instruction set: a target and a block of
// columns in, scores out.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "block.hpp"
#include "column.hpp"
#include "kraskov.hpp"
#include "plugin.hpp"
#include "ross.hpp"
#include "target.hpp"

#define SKPAR_STRING(name) #name
#define SKPAR_NAME(name) SKPAR_STRING(name)

namespace skpar::SKPAR_ISA {
namespace {

// Calls visit(position, column) for all columns before `end` that are selected, in order; a column is
// (n_samples,) doubles, which may be changed. Returns the position of the first where that is false:
// there it stops; or `end`.
//
// Columns are cast eight at a time, so that a row's cache line is read whole, but not more than
// 64 MiB of them. Eight take 64 bytes a sample.
template <class Selected, class Visit>
std::int64_t for_each_column(const Block& block, std::int64_t end, Selected selected, Visit visit) {
    const std::int64_t n = block.n_samples;
    const bool by_column = block.row_stride < block.column_stride && block.row_stride > 0;
    const std::int64_t fit = std::max<std::int64_t>(1, (std::int64_t(1) << 23) / n);
    const int most = by_column ? 1 : static_cast<int>(std::min<std::int64_t>(kPack, fit));
    Buffer<double> columns;
    std::int64_t positions[kPack];
    for (std::int64_t next = 0; next < end;) {
        int width = 0;
        for (; next < end && width < most; ++next) {
            if (selected(next)) positions[width++] = next;
        }
        double* column = columns.at_least(most * n);
        cast_columns(block, positions, width, column);
        for (int i = 0; i < width; ++i, column += n) {
            if (!visit(positions[i], column)) return positions[i];
        }
    }
    return end;
}

// Moves the values that are there to the front, and keeps where they were. Returns how many there are.
inline std::int32_t compact(double* column, std::int64_t n, std::int32_t* kept) {
    std::int32_t n_kept = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        kept[n_kept] = static_cast<std::int32_t>(i);
        column[n_kept] = column[i];
        n_kept += column[i] == column[i];
    }
    return n_kept;
}

// The score of n finite values with a target of as many samples.
template <class Pair>
double score_column(const Target& target, Pair& pair, double* column, std::uint64_t index) {
    const std::int64_t n = target.n_samples;
    if (target.constant) return 0.0;
    if (Pair::kDiscreteColumn) {
        const Range range = range_of(column, n);
        if (range.low == range.high) return 0.0;
    } else {
        const Scaling scaling = scaling_of(column, n);
        if (scaling.is_constant()) return 0.0;
        standardize(column, n, scaling, target.seed, index);
    }
    return pair(column);
}

// Scores the columns before `end` that are of the pair's kind. This is the one place where values are
// looked at for NaN and infinity.
template <class Pair>
std::int64_t score_kind(const Target& target, const Block& block, std::int64_t end, const Missing& missing,
                        double* scores, std::int64_t* n_observed) {
    const auto of_this_kind = [&](std::int64_t j) { return block.columns[j].discrete == Pair::kDiscreteColumn; };
    const std::int64_t n = block.n_samples;
    const std::int64_t fewest = Pair::kNeighbors ? std::max(2, target.n_neighbors + 1) : 2;
    Pair pair(target);
    Buffer<std::int32_t> positions;
    Buffer<double> present;
    return for_each_column(block, end, of_this_kind, [&](std::int64_t j, double* column) {
        const std::uint64_t index = block.columns[j].index;
        n_observed[j] = n;
        if (all_finite(column, n)) {
            scores[j] = n < missing.min_observed ? NAN : score_column(target, pair, column, index);
            return true;
        }
        if (!missing.allowed) return false;
        std::int32_t* kept = positions.at_least(n);
        const std::int32_t n_kept = compact(column, n, kept);
        n_observed[j] = n_kept;
        if (n_kept == n || !all_finite(column, n_kept)) return false;
        if (n_kept < std::max(missing.min_observed, fewest)) {
            scores[j] = NAN;
            return true;
        }
        double* y = present.at_least(n_kept);
        for (std::int32_t i = 0; i < n_kept; ++i) {
            y[i] = target.discrete ? target.class_of_sample[kept[i]] : target.raw[kept[i]];
        }
        const Target of_present(y, n_kept, target.discrete, {target.digamma, n_kept + 1}, {target.log, n_kept + 1},
                                std::min(target.n_neighbors, n_kept - 1), target.seed);
        Pair pair_of_present(of_present);
        scores[j] = score_column(of_present, pair_of_present, column, index);
        return true;
    });
}

// One kind of columns after the other, so that the scratch of one pair is held at a time.
std::int64_t score(const Targets& targets, const Block& block, const Missing& missing, double* scores,
                   std::int64_t* n_observed) {
    std::int64_t bad = block.n_columns;
    for (std::int64_t t = 0; t < targets.n; ++t, scores += block.n_columns) {
        const Target& target = *targets.of[t];
        if (target.discrete) {
            bad = score_kind<RossContinuousColumn>(target, block, bad, missing, scores, n_observed);
            bad = score_kind<Plugin>(target, block, bad, missing, scores, n_observed);
        } else {
            bad = score_kind<Kraskov>(target, block, bad, missing, scores, n_observed);
            bad = score_kind<RossDiscreteColumn>(target, block, bad, missing, scores, n_observed);
        }
    }
    return bad < block.n_columns ? bad : -1;
}

std::int64_t standardize_block(const Block& block, std::uint64_t seed, double* out) {
    const std::int64_t n = block.n_samples;
    const auto all = [](std::int64_t) { return true; };
    const std::int64_t bad = for_each_column(block, block.n_columns, all, [&](std::int64_t j, double* column) {
        if (!all_finite(column, n)) return false;
        standardize(column, n, scaling_of(column, n), seed, block.columns[j].index);
        std::copy(column, column + n, out + j * n);
        return true;
    });
    return bad < block.n_columns ? bad : -1;
}

}  // namespace

extern const Kernel kernel;
const Kernel kernel = {SKPAR_NAME(SKPAR_ISA), score, standardize_block};

}  // namespace skpar::SKPAR_ISA
