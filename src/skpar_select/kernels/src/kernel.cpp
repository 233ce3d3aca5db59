// The hot path of the extension, compiled once for each instruction set: a target and a block of
// columns in, scores out.

#include <algorithm>
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
// (n_samples,) doubles, which may be changed. Returns the position of the first that is not finite, or
// `end`: there it stops. This is the one place where values are looked at for NaN and infinity.
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
            if (!all_finite(column, n)) return positions[i];
            visit(positions[i], column);
        }
    }
    return end;
}

// Scores the columns before `end` that are of the pair's kind.
template <class Pair>
std::int64_t score_kind(const Target& target, const Block& block, std::int64_t end, double* scores) {
    const auto of_this_kind = [&](std::int64_t j) { return block.columns[j].discrete == Pair::kDiscreteColumn; };
    Pair pair(target);
    return for_each_column(block, end, of_this_kind, [&](std::int64_t j, double* column) {
        if (!Pair::kDiscreteColumn) standardize(column, block.n_samples, target.seed, block.columns[j].index);
        scores[j] = pair(column);
    });
}

// One kind of columns after the other, so that the scratch of one pair is held at a time.
std::int64_t score(const Target& target, const Block& block, double* scores) {
    std::int64_t bad = block.n_columns;
    if (target.discrete) {
        bad = score_kind<RossContinuousColumn>(target, block, bad, scores);
        bad = score_kind<Plugin>(target, block, bad, scores);
    } else {
        bad = score_kind<Kraskov>(target, block, bad, scores);
        bad = score_kind<RossDiscreteColumn>(target, block, bad, scores);
    }
    return bad < block.n_columns ? bad : -1;
}

std::int64_t standardize_block(const Block& block, std::uint64_t seed, double* out) {
    const std::int64_t n = block.n_samples;
    const auto all = [](std::int64_t) { return true; };
    const std::int64_t bad = for_each_column(block, block.n_columns, all, [&](std::int64_t j, double* column) {
        standardize(column, n, seed, block.columns[j].index);
        std::copy(column, column + n, out + j * n);
    });
    return bad < block.n_columns ? bad : -1;
}

}  // namespace

extern const Kernel kernel;
const Kernel kernel = {SKPAR_NAME(SKPAR_ISA), score, standardize_block};

}  // namespace skpar::SKPAR_ISA
