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
#include "kraskov_ranks.hpp"
#include "pace.hpp"
#include "plugin.hpp"
#include "ranking.hpp"
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
std::int64_t for_each_column(const Block& block, std::int64_t end, Pace& pace, Selected selected, Visit&& visit) {
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
            pace.after(n);
        }
    }
    return end;
}

// Hands n finite values to the pair. False where they are constant.
template <class Pair>
bool take(Pair& pair, double* column, std::int32_t n, std::uint64_t seed, std::uint64_t index) {
    if constexpr (Pair::kDiscreteColumn || Pair::kRanked) {
        const Range range = range_of(column, n);
        if (range.low == range.high) return false;
        if constexpr (Pair::kDiscreteColumn) pair.take(column, n, range);
        else pair.take(column, n, range, noise_key(seed, index));
    } else {
        const Scaling scaling = scaling_of(column, n);
        if (scaling.is_constant()) return false;
        standardize(column, n, scaling, seed, index);
        pair.take(column, n);
    }
    return true;
}

// Scores columns of one kind against all targets.
template <class Pair>
class Scoring {
  public:
    Scoring(const Targets& targets, const Block& block, const Missing& missing, Pace& pace, const Scores& scores)
        : targets_(targets), block_(block), missing_(missing), scores_(scores), pace_(pace),
          pair_(scratch_, targets.n > 1, pace) {}

    // False where the column has a value that is not allowed. This is the one place where values are
    // looked at for NaN and infinity.
    bool operator()(std::int64_t j, double* column) {
        const auto n = static_cast<std::int32_t>(block_.n_samples);
        scores_.n_observed[j] = n;
        if (!all_finite(column, n)) return missing_.allowed && score_with_gaps(j, column, n);
        if (n < missing_.min_observed) return set_all(j, NAN);
        if (!take(pair_, column, n, targets_.of[0]->seed, block_.columns[j].index)) return set_all(j, 0.0);
        for (std::int64_t t = 0; t < targets_.n; ++t) score_all(*targets_.of[t], t, j);
        return true;
    }

  private:
    static constexpr bool kRankedTarget = std::is_invocable_v<Pair, const RankedSamples&>;
    static constexpr bool kContinuousTarget = kRankedTarget || std::is_invocable_v<Pair, const SortedSamples&>;
    using Cases = std::conditional_t<kRankedTarget, RankedCases,
                                     std::conditional_t<kContinuousTarget, SortedCases, GroupedCases>>;

    const Targets& targets_;
    const Block& block_;
    const Missing& missing_;
    const Scores& scores_;
    Pace& pace_;
    SortScratch scratch_;
    Pair pair_;
    Present present_;
    Cases cases_;

    double& score_of(std::int64_t t, std::int64_t j) { return scores_.of[t * block_.n_columns + j]; }

    bool set_all(std::int64_t j, double score) {
        for (std::int64_t t = 0; t < targets_.n; ++t) score_of(t, j) = score;
        return true;
    }

    void score_all(const Target& target, std::int64_t t, std::int64_t j) {
        pace_.after(block_.n_samples);
        if (target.constant) score_of(t, j) = 0.0;
        else if constexpr (kRankedTarget) score_pair(target.ranked_samples, t, j);
        else if constexpr (kContinuousTarget) score_pair(target.sorted, t, j);
        else score_pair(target.grouped, t, j);
    }

    void score_present(const Target& target, bool constant, std::int64_t t, std::int64_t j) {
        pace_.after(block_.n_samples);
        if (!std::is_same_v<Pair, Plugin> && present_.n <= target.n_neighbors) score_of(t, j) = NAN;
        else if (constant || target.constant || !cases_.take(target, present_, scratch_)) score_of(t, j) = 0.0;
        else score_pair(cases_, t, j);
    }

    template <class Samples>
    void score_pair(Samples& samples, std::int64_t t, std::int64_t j) {
        score_of(t, j) = pair_(samples);
        if constexpr (std::is_same_v<Pair, KraskovRanks>) scores_.rho[t * block_.n_columns + j] = pair_.rho();
    }

    bool too_few(std::int64_t n) const { return n < std::max<std::int64_t>(missing_.min_observed, 2); }

    bool score_with_gaps(std::int64_t j, double* column, std::int32_t n) {
        std::int64_t most_classes = -1;  // of targets that are done already
        if constexpr (std::is_same_v<Pair, Plugin>) {
            const auto [range, n_present] = range_of_present(column, n);
            scores_.n_observed[j] = n_present;
            if (range.high == INFINITY || range.low == -INFINITY) return false;
            if (too_few(n_present)) return set_all(j, NAN);
            if (range.low == range.high) return set_all(j, 0.0);
            most_classes = pair_.take_with_gaps(column, n, n - static_cast<std::int32_t>(n_present), range);
            bool all_done = true;
            for (std::int64_t t = 0; t < targets_.n; ++t) {
                const Target& target = *targets_.of[t];
                if (target.grouped.n_classes <= most_classes) score_of(t, j) = pair_.with_gaps(target, cases_);
                else all_done = false;
            }
            if (all_done) return true;
        }
        present_.compact(column, n);
        scores_.n_observed[j] = present_.n;
        if (present_.n == n || !all_finite(column, present_.n)) return false;
        if (too_few(present_.n)) return set_all(j, NAN);
        const bool constant = !take(pair_, column, present_.n, targets_.of[0]->seed, block_.columns[j].index);
        for (std::int64_t t = 0; t < targets_.n; ++t) {
            const Target& target = *targets_.of[t];
            if (!kContinuousTarget && target.grouped.n_classes <= most_classes) continue;
            score_present(target, constant, t, j);
        }
        return true;
    }
};

// Scores the columns before `end` that are of the pair's kind.
template <class Pair>
std::int64_t score_kind(const Targets& targets, const Block& block, std::int64_t end, const Missing& missing,
                        Pace& pace, const Scores& scores) {
    const auto of_this_kind = [&](std::int64_t j) { return block.columns[j].discrete == Pair::kDiscreteColumn; };
    return for_each_column(block, end, pace, of_this_kind,
                           Scoring<Pair>(targets, block, missing, pace, scores));
}

// One kind of columns after the other, so that the scratch of one pair is held at a time.
template <class Continuous, class Discrete>
std::int64_t score_kinds(const Targets& targets, const Block& block, const Missing& missing, Pace& pace,
                         const Scores& scores) {
    const std::int64_t bad = score_kind<Continuous>(targets, block, block.n_columns, missing, pace, scores);
    return score_kind<Discrete>(targets, block, bad, missing, pace, scores);
}

std::int64_t score(const Targets& targets, const Block& block, const Missing& missing, const Pause& pause,
                   const Scores& scores) {
    Pace pace(pause);
    if (scores.rho) std::fill(scores.rho, scores.rho + targets.n * block.n_columns, NAN);
    const Target& target = *targets.of[0];
    const auto kinds = target.discrete ? target.ranked ? score_kinds<RossRankedColumn, Plugin>
                                                       : score_kinds<RossContinuousColumn, Plugin>
                       : target.ranked ? score_kinds<KraskovRanks, RossDiscreteColumn<RankedSamples>>
                                       : score_kinds<Kraskov, RossDiscreteColumn<SortedSamples>>;
    const std::int64_t bad = kinds(targets, block, missing, pace, scores);
    return bad < block.n_columns ? bad : -1;
}

std::int64_t standardize_block(const Block& block, const Pause& pause, std::uint64_t seed, double* out) {
    Pace pace(pause);
    const std::int64_t n = block.n_samples;
    const auto all = [](std::int64_t) { return true; };
    const std::int64_t bad = for_each_column(block, block.n_columns, pace, all, [&](std::int64_t j, double* column) {
        if (!all_finite(column, n)) return false;
        standardize(column, n, scaling_of(column, n), seed, block.columns[j].index);
        std::copy(column, column + n, out + j * n);
        return true;
    });
    return bad < block.n_columns ? bad : -1;
}

std::int64_t rank_block(const Block& block, const Pause& pause, std::uint64_t seed, std::int32_t* out) {
    Pace pace(pause);
    const auto n = static_cast<std::int32_t>(block.n_samples);
    const auto all = [](std::int64_t) { return true; };
    Ranking ranking;
    Buffer<std::int32_t> order;
    const std::int64_t bad = for_each_column(block, block.n_columns, pace, all, [&](std::int64_t j, double* column) {
        if (!all_finite(column, n)) return false;
        const std::uint64_t key = noise_key(seed, block.columns[j].index);
        ranking.sort(column, n, range_of(column, n), key, order.at_least(n));
        for (std::int32_t rank = 0; rank < n; ++rank) out[j * n + order[rank]] = rank;
        return true;
    });
    return bad < block.n_columns ? bad : -1;
}

}  // namespace

extern const Kernel kernel;
const Kernel kernel = {SKPAR_NAME(SKPAR_ISA), score, standardize_block, rank_block};

}  // namespace skpar::SKPAR_ISA
