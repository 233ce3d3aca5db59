// The hot path of the extension, compiled once for each instruction set: a target and a block of
// columns in, scores out.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "block.hpp"
#include "column.hpp"
#include "complete_cases.hpp"
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

// Hands n finite values to the pair. False where they are constant.
template <class Pair>
bool take(Pair& pair, double* column, std::int32_t n, std::uint64_t seed, std::uint64_t index) {
    if constexpr (Pair::kDiscreteColumn) {
        const Range range = range_of(column, n);
        if (range.low == range.high) return false;
    } else {
        const Scaling scaling = scaling_of(column, n);
        if (scaling.is_constant()) return false;
        standardize(column, n, scaling, seed, index);
    }
    pair.take(column, n);
    return true;
}

// The sides of the pairs that a target has.
template <class Pair>
constexpr bool kContinuousTarget = std::is_invocable_v<Pair, const SortedSamples&>;
template <class Pair>
using CasesOf = std::conditional_t<kContinuousTarget<Pair>, SortedCases, GroupedCases>;

// Scores the columns before `end` that are of the pair's kind. This is the one place where values are
// looked at for NaN and infinity.
template <class Pair>
std::int64_t score_kind(const Targets& targets, const Block& block, std::int64_t end, const Missing& missing,
                        double* scores, std::int64_t* n_observed) {
    const auto of_this_kind = [&](std::int64_t j) { return block.columns[j].discrete == Pair::kDiscreteColumn; };
    const auto n = static_cast<std::int32_t>(block.n_samples);
    const std::uint64_t seed = targets.of[0]->seed;
    SortScratch scratch;
    Pair pair(scratch);
    Present present;
    CasesOf<Pair> cases;
    const auto all = [&](const Target& target) {
        if (target.constant) return 0.0;
        if constexpr (kContinuousTarget<Pair>) return pair(target.sorted);
        else return pair(target.grouped);
    };
    const auto where_present = [&](const Target& target) {
        if (target.constant || !cases.take(target, present, scratch)) return 0.0;
        return pair(cases);
    };
    return for_each_column(block, end, of_this_kind, [&](std::int64_t j, double* column) {
        const auto each_target = [&](auto score) {
            for (std::int64_t t = 0; t < targets.n; ++t) scores[t * block.n_columns + j] = score(*targets.of[t]);
            return true;
        };
        const auto nothing = [](double value) { return [value](const Target&) { return value; }; };
        const std::uint64_t index = block.columns[j].index;
        n_observed[j] = n;
        if (all_finite(column, n)) {
            if (n < missing.min_observed) return each_target(nothing(NAN));
            if (!take(pair, column, n, seed, index)) return each_target(nothing(0.0));
            return each_target(all);
        }
        if (!missing.allowed) return false;
        present.compact(column, n);
        n_observed[j] = present.n;
        if (present.n == n || !all_finite(column, present.n)) return false;
        if (present.n < std::max<std::int64_t>(missing.min_observed, 2)) return each_target(nothing(NAN));
        const bool constant = !take(pair, column, present.n, seed, index);
        return each_target([&](const Target& target) {
            const bool too_few = !std::is_same_v<Pair, Plugin> && present.n <= target.n_neighbors;
            return too_few ? NAN : constant ? 0.0 : where_present(target);
        });
    });
}

// One kind of columns after the other, so that the scratch of one pair is held at a time.
std::int64_t score(const Targets& targets, const Block& block, const Missing& missing, double* scores,
                   std::int64_t* n_observed) {
    std::int64_t bad = block.n_columns;
    if (targets.of[0]->discrete) {
        bad = score_kind<RossContinuousColumn>(targets, block, bad, missing, scores, n_observed);
        bad = score_kind<Plugin>(targets, block, bad, missing, scores, n_observed);
    } else {
        bad = score_kind<Kraskov>(targets, block, bad, missing, scores, n_observed);
        bad = score_kind<RossDiscreteColumn>(targets, block, bad, missing, scores, n_observed);
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
