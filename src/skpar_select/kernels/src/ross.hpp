// One continuous and one discrete variable: B. C. Ross, Mutual information between discrete and
// continuous data sets, PLoS ONE 9(2), e87357 (2014), doi:10.1371/journal.pone.0087357.
//
// For each point, r is the distance to its k-th neighbour among the points of its own class (of a
// smaller class, the last), m counts the points of all classes, itself included, nearer than r:
//     MI = digamma(n) + mean(digamma(k)) - mean(digamma(class size)) - mean(digamma(m))
// Points that are alone in their class are left out.

#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "axis.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "pace.hpp"
#include "ranking.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

// r[j] = distance from z[j] to its k-th neighbour among the m sorted values z: the k + 1 values
// nearest to z[j] follow one another, and their window only moves forward.
inline void kth_neighbor_distances(const double* z, std::int32_t m, std::int32_t k, double* r) {
    std::int32_t first = 0;
    for (std::int32_t j = 0; j < m; ++j) {
        while (first + k + 1 < m && z[first + k + 1] - z[j] < z[j] - z[first]) ++first;
        r[j] = std::max(z[j] - z[first], z[first + k] - z[j]);
    }
}

// What an axis is asked, where its values are the ranks 0 .. n - 1.
struct WholeRanks {
    std::int32_t n;

    double value(std::int32_t rank) const { return rank; }

    // As that of Ranks.
    void add_digammas(const double* x, const double* r, std::int32_t size, const double* digamma,
                      double* sums) const {
        for (std::int32_t i = 0; i < size; ++i) {
            const double beyond = r[i] - 1.0;
            const double count = std::min(x[i] + beyond, n - 1.0) - std::max(x[i] - beyond, 0.0) + 1.0;
            sums[i % kPack] += digamma[static_cast<std::int32_t>(count)];
        }
    }
};

class Ross {
  public:
    // A way to name the target's part in the estimate.
    struct Parameters {
        const double* digamma;
        std::int32_t n_neighbors;
    };

    // class_of[rank] < n_classes is the class of each of the n values; class_start has n_classes + 1
    // boundaries, and no class has less than two members.
    template <class Values>
    double operator()(const Values& values, const std::int32_t* class_of, const std::int32_t* class_start,
                      std::int32_t n_classes, const Parameters& parameters) {
        const auto [digamma, n_neighbors] = parameters;
        const std::int32_t n = values.n;
        double* z = values_.at_least(n);
        double* r = radius_.at_least(n);
        std::int32_t* next = next_.at_least(n_classes);
        std::copy(class_start, class_start + n_classes, next);
        for (std::int32_t rank = 0; rank < n; ++rank) z[next[class_of[rank]]++] = values.value(rank);
        double of_classes = 0.0;
        double sums[kPack] = {};
        for (std::int32_t c = 0; c < n_classes; ++c) {
            const std::int32_t begin = class_start[c], size = class_start[c + 1] - begin;
            const std::int32_t k = std::min(n_neighbors, size - 1);
            kth_neighbor_distances(z + begin, size, k, r + begin);
            values.add_digammas(z + begin, r + begin, size, digamma, sums);
            of_classes += size * (digamma[k] - digamma[size]);
        }
        return digamma[n] + (of_classes - sum_of(sums)) / n;
    }

  private:
    Buffer<double> values_, radius_;  // 8 + 8 bytes a sample
    Buffer<std::int32_t> next_;       // 2
};

// Leave out the values of samples that are alone in their class: of a discrete column those have -1, of a
// target a number behind the `n_classes`. The other `n_kept` keep theirs, and their values become the axis.
template <class Values>
void leave_out(const Values& values, Axis& axis, std::int32_t n_kept, std::int32_t* class_of_rank,
               std::int32_t n_classes) {
    double* kept_values = axis.room_for(n_kept);
    for (std::int32_t rank = 0, kept = 0; kept < n_kept; ++rank) {
        const std::int32_t class_of = class_of_rank[rank];
        if (class_of < 0 || class_of >= n_classes) continue;
        kept_values[kept] = values.value(rank);
        class_of_rank[kept++] = class_of;
    }
    axis.index();
}

// A continuous column, a discrete target.
class RossContinuousColumn {
  public:
    static constexpr bool kDiscreteColumn = false, kRanked = false;

    RossContinuousColumn(SortScratch& scratch, bool, Pace&) : sort_scratch_(scratch) {}

    // column: (n,) standardized; it must stay until the next
    void take(const double* column, std::int32_t n) {
        column_ = column;
        n_ = n;
        sorted_whole_ = false;
    }

    // target: of the samples of the column
    double operator()(const GroupedSamples& target) {
        const std::int32_t n = target.n_repeated;
        if (n == 0) return 0.0;
        if (n < n_) {
            sort_repeated(target);
        } else if (!sorted_whole_) {
            axis_.sort(column_, n, order_.at_least(n), sort_scratch_);
            sorted_whole_ = true;
        }
        std::int32_t* class_of_rank = class_of_rank_.at_least(n);
        const std::int32_t *class_of = target.class_of_sample, *order = order_.data();
        for (std::int32_t rank = 0; rank < n; ++rank) class_of_rank[rank] = class_of[order[rank]];
        return ross_(axis_, class_of_rank, target.class_start, target.n_repeated_classes,
                     {target.digamma, target.n_neighbors});
    }

  private:
    SortScratch& sort_scratch_;
    const double* column_ = nullptr;
    std::int32_t n_ = 0;
    bool sorted_whole_ = false;
    // Bytes a sample, together 53:
    Ross ross_;                                   // 18
    Axis axis_;                                   // 19
    Buffer<double> repeated_;                     //  8
    Buffer<std::int32_t> order_, class_of_rank_;  //  8

    // Without the samples that are alone in their class.
    void sort_repeated(const GroupedSamples& target) {
        const std::int32_t n = target.n_repeated;
        std::int32_t* order = order_.at_least(n);
        axis_.sort(gather(column_, target.order, n, repeated_.at_least(n)), n, order, sort_scratch_);
        for (std::int32_t rank = 0; rank < n; ++rank) order[rank] = target.order[order[rank]];
        sorted_whole_ = false;
    }
};

// A continuous column in rank space, a discrete target.
class RossRankedColumn {
  public:
    static constexpr bool kDiscreteColumn = false, kRanked = true;

    RossRankedColumn(SortScratch&, bool, Pace&) {}

    // Order a column once for all targets. x: (n,), of this range
    void take(const double* x, std::int32_t n, Range range, std::uint64_t key) {
        n_ = n;
        ranking_.sort(x, n, range, key, order_.at_least(n));
    }

    // target: of the samples of the column
    double operator()(const GroupedSamples& target) {
        const std::int32_t n = target.n_repeated;
        if (n == 0) return 0.0;
        std::int32_t* class_of_rank = class_of_rank_.at_least(n_);
        const std::int32_t *class_of = target.class_of_sample, *order = order_.data();
        for (std::int32_t rank = 0, size = n_; rank < size; ++rank) class_of_rank[rank] = class_of[order[rank]];
        const Ross::Parameters parameters = {target.digamma, target.n_neighbors};
        if (n == n_) return ross_(WholeRanks{n}, class_of_rank, target.class_start, target.n_repeated_classes, parameters);
        leave_out(WholeRanks{n_}, axis_, n, class_of_rank, target.n_repeated_classes);
        return ross_(axis_, class_of_rank, target.class_start, target.n_repeated_classes, parameters);
    }

  private:
    std::int32_t n_ = 0;
    // Bytes a sample, together 69:
    Ranking ranking_;                             // 24
    Ross ross_;                                   // 18
    Axis axis_;                                   // 19, where samples are left out
    Buffer<std::int32_t> order_, class_of_rank_;  //  8
};

// Calls set(rank, sample) for all, by the order of a continuous target.
template <class Set>
void for_each_rank(const SortedSamples& target, Set set) {
    const std::int32_t* order = target.order;
    for (std::int32_t rank = 0, n = target.n; rank < n; ++rank) set(rank, order[rank]);
}

template <class Set>
void for_each_rank(const RankedSamples& target, Set set) {
    const std::int32_t* rank_of = target.rank_of;
    for (std::int32_t i = 0, n = target.n; i < n; ++i) set(rank_of[i], i);
}

// What an axis is asked of a continuous target.
inline Ranks values_of(const SortedSamples& target) { return Ranks(target.y); }
inline WholeRanks values_of(const RankedSamples& target) { return {target.n}; }

// A discrete column, a continuous target: of values, SortedSamples, or of ranks, RankedSamples.
template <class Samples>
class RossDiscreteColumn {
  public:
    static constexpr bool kDiscreteColumn = true, kRanked = std::is_same_v<Samples, RankedSamples>;

    RossDiscreteColumn(SortScratch& scratch, bool, Pace&) : sort_scratch_(scratch) {}

    // Group a column once for all targets. column: (n,) as it is
    void take(const double* column, std::int32_t n, Range range) {
        n_ = n;
        classes_.find(column, n, range, axis_, sort_scratch_);
        classes_.number_repeated(n);
    }

    // target: of the samples of the column
    double operator()(const Samples& target) {
        if (classes_.n_repeated == 0) return 0.0;
        const std::int32_t* class_of = classes_.of.data();
        std::int32_t* class_of_rank = class_of_rank_.at_least(n_);
        for_each_rank(target, [=](std::int32_t rank, std::int32_t sample) { class_of_rank[rank] = class_of[sample]; });
        const auto values = values_of(target);
        if (classes_.n_repeated == n_) return score(values, target);
        leave_out(values, axis_, classes_.n_repeated, class_of_rank, classes_.n_repeated_classes);
        return score(axis_, target);
    }

  private:
    SortScratch& sort_scratch_;
    std::int32_t n_ = 0;
    // Bytes a sample, together 61:
    Ross ross_;                            // 18
    Axis axis_;                            // 19
    Classes classes_;                      // 20
    Buffer<std::int32_t> class_of_rank_;   //  4

    template <class Values>
    double score(const Values& values, const Samples& target) {
        return ross_(values, class_of_rank_.data(), classes_.start.data(), classes_.n_repeated_classes,
                     {target.digamma, target.n_neighbors});
    }
};

}  // namespace skpar::SKPAR_ISA
