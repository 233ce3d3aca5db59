// The hot path of the extension, compiled once for each instruction set: a block of columns and a
// target in, scores out.

#include <algorithm>
#include <cstdint>

#include "block.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "kraskov.hpp"
#include "plugin.hpp"
#include "ross.hpp"

#define SKPAR_STRING(name) #name
#define SKPAR_NAME(name) SKPAR_STRING(name)

namespace skpar::SKPAR_ISA {
namespace {

// Columns are cast eight at a time, so that a row's cache line is read whole, but not more than
// 64 MiB of them.
template <class Score>
std::int64_t for_each_column(const Block& block, Score score) {
    const std::int64_t n = block.n_samples;
    const bool by_column = block.row_stride < block.column_stride && block.row_stride > 0;
    const std::int64_t fit = std::max<std::int64_t>(1, (std::int64_t(1) << 23) / n);
    const int width = by_column ? 1 : static_cast<int>(std::min<std::int64_t>(kPack, fit));
    Buffer<double> columns;
    columns.reserve(width * n);
    for (std::int64_t first = 0; first < block.n_features; first += width) {
        const int count = static_cast<int>(std::min<std::int64_t>(width, block.n_features - first));
        cast_columns(block, first, count, columns.data());
        for (int i = 0; i < count; ++i) {
            if (!all_finite(columns.data() + i * n, n)) return first + i;
            score(first + i, columns.data() + i * n);
        }
    }
    return -1;
}

void standardize_column(const Block& block, std::int64_t j, double* x) {
    standardize(x, block.n_samples, block.seed, block.first_column + static_cast<std::uint64_t>(j));
}

// Scores discrete columns against a continuous target.
class DiscreteColumn {
  public:
    DiscreteColumn(const ContinuousTarget& target, std::int32_t n, const Tables& tables)
        : target_(target), n_(n), ross_(tables.digamma, tables.n_neighbors) {}

    // x: (n_samples,) in the order of the target
    double score(const double* x) {
        classes_.find(x, n_);
        // classes of a single sample are left out
        std::int32_t* class_of = class_of_.reserve(n_);
        std::int32_t* start = start_.reserve(classes_.n_classes + 1);
        std::int32_t n_classes = 0, n_repeated = 0;
        for (std::int32_t c = 0; c < classes_.n_classes; ++c) {
            const std::int32_t begin = classes_.start[c], end = classes_.start[c + 1];
            const bool repeated = end - begin > 1;
            for (std::int32_t i = begin; i < end; ++i) class_of[classes_.order[i]] = repeated ? n_classes : -1;
            if (!repeated) continue;
            start[n_classes++] = n_repeated;
            n_repeated += end - begin;
        }
        start[n_classes] = n_repeated;
        if (n_repeated == 0) return 0.0;
        if (n_repeated == n_) {
            if (all_.n == 0) all_.assign(target_.values, n_);
            return ross_.score(all_, class_of, start, n_classes);
        }
        double* values = values_.reserve(n_repeated);
        std::int32_t kept = 0;
        for (std::int32_t rank = 0; rank < n_; ++rank) {
            if (class_of[rank] < 0) continue;
            values[kept] = target_.values[rank];
            class_of[kept++] = class_of[rank];
        }
        repeated_.assign(values, n_repeated);
        return ross_.score(repeated_, class_of, start, n_classes);
    }

  private:
    ContinuousTarget target_;
    std::int32_t n_;
    Ross ross_;
    Axis all_, repeated_;
    Classes classes_;
    Buffer<double> values_;
    Buffer<std::int32_t> class_of_, start_;
};

std::int64_t score_continuous(const Block& block, const ContinuousTarget& target, const Tables& tables,
                              double* scores) {
    const auto n = static_cast<std::int32_t>(block.n_samples);
    Kraskov kraskov(target.values, n, tables.digamma, tables.n_neighbors);
    DiscreteColumn discrete_column(target, n, tables);
    Buffer<double> ordered;
    ordered.reserve(n);
    return for_each_column(block, [&](std::int64_t j, double* x) {
        if (!block.discrete[j]) standardize_column(block, j, x);
        for (std::int32_t rank = 0; rank < n; ++rank) ordered[rank] = x[target.order[rank]];
        scores[j] = block.discrete[j] ? discrete_column.score(ordered.data()) : kraskov.score(ordered.data());
    });
}

std::int64_t score_discrete(const Block& block, const DiscreteTarget& target, const Tables& tables,
                            double* scores) {
    const auto n = static_cast<std::int32_t>(block.n_samples);
    Ross ross(tables.digamma, tables.n_neighbors);
    Plugin plugin(tables.log);
    Axis axis;
    Classes classes;
    Buffer<double> ordered;
    Buffer<std::int32_t> class_of, class_of_sample, codes, rank_of, class_of_rank;
    ordered.reserve(n);
    rank_of.reserve(n);
    class_of.reserve(n);
    class_of_sample.reserve(n);
    codes.reserve(n);
    class_of_rank.reserve(n);
    std::int32_t n_repeated_classes = 0;
    for (std::int32_t c = 0; c < target.n_classes; ++c) {
        std::fill(class_of.data() + target.class_start[c], class_of.data() + target.class_start[c + 1], c);
        if (target.class_start[c + 1] <= target.n_repeated) n_repeated_classes = c + 1;
    }
    for (std::int32_t i = 0; i < n; ++i) class_of_sample[target.order[i]] = class_of[i];
    return for_each_column(block, [&](std::int64_t j, double* x) {
        if (block.discrete[j]) {
            const std::int32_t n_codes = number_codes(x, n, codes.data());
            if (n_codes > 0 && std::int64_t(n_codes) * target.n_classes <= n) {
                scores[j] = plugin.score_codes(codes.data(), n, n_codes, class_of_sample.data(),
                                               target.class_start, target.n_classes);
                return;
            }
        } else {
            standardize_column(block, j, x);
        }
        for (std::int32_t i = 0; i < n; ++i) ordered[i] = x[target.order[i]];
        if (block.discrete[j]) {
            classes.find(ordered.data(), n);
            scores[j] = plugin.score(classes.order.data(), classes.start.data(), classes.n_classes,
                                     class_of.data(), target.class_start, target.n_classes);
        } else if (target.n_repeated == 0) {
            scores[j] = 0.0;
        } else {
            axis.sort(ordered.data(), target.n_repeated, rank_of.data());
            for (std::int32_t rank = 0; rank < target.n_repeated; ++rank) {
                class_of_rank[rank] = class_of[rank_of[rank]];
            }
            scores[j] = ross.score(axis, class_of_rank.data(), target.class_start, n_repeated_classes);
        }
    });
}

std::int64_t standardize_block(const Block& block, double* out) {
    return for_each_column(block, [&](std::int64_t j, double* x) {
        standardize_column(block, j, x);
        std::copy(x, x + block.n_samples, out + j * block.n_samples);
    });
}

void sort_values(const double* values, std::int32_t n, std::int32_t* order, double* sorted) {
    Axis axis;
    axis.sort(values, n, order);
    std::copy(axis.values(), axis.values() + n, sorted);
}

}  // namespace

extern const Kernel kernel;
const Kernel kernel = {SKPAR_NAME(SKPAR_ISA), score_continuous, score_discrete, standardize_block,
                       sort_values};

}  // namespace skpar::SKPAR_ISA
