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

#include "axis.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
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

class Ross {
  public:
    explicit Ross(const Target& target) : digamma_(target.digamma), k_(target.n_neighbors) {}

    // class_of[rank] < n_classes is the class of each of the n values; class_start has n_classes + 1
    // boundaries, and no class has less than two members.
    double operator()(const Ranks& values, const std::int32_t* class_of, const std::int32_t* class_start,
                      std::int32_t n_classes) {
        const std::int32_t n = values.n;
        double* z = values_.at_least(n);
        double* r = radius_.at_least(n);
        std::int32_t* next = next_.at_least(n_classes);
        std::copy(class_start, class_start + n_classes, next);
        for (std::int32_t rank = 0; rank < n; ++rank) z[next[class_of[rank]]++] = values.values[rank];
        double of_classes = 0.0;
        double sums[kPack] = {};
        for (std::int32_t c = 0; c < n_classes; ++c) {
            const std::int32_t begin = class_start[c], size = class_start[c + 1] - begin;
            const std::int32_t k = std::min(k_, size - 1);
            kth_neighbor_distances(z + begin, size, k, r + begin);
            values.add_digammas(z + begin, r + begin, size, digamma_, sums);
            of_classes += size * (digamma_[k] - digamma_[size]);
        }
        return std::max(0.0, digamma_[n] + (of_classes - sum_of(sums)) / n);
    }

  private:
    const double* digamma_;
    std::int32_t k_;
    Buffer<double> values_, radius_;  // 8 + 8 bytes a sample
    Buffer<std::int32_t> next_;       // 2
};

// A continuous column, a discrete target.
class RossContinuousColumn {
  public:
    static constexpr bool kDiscreteColumn = false;
    static constexpr bool kNeighbors = true;

    explicit RossContinuousColumn(const Target& target) : target_(target), ross_(target) {}

    // column: (n_samples,) standardized
    double operator()(const double* column) {
        const std::int32_t n = target_.n_repeated;
        if (n == 0) return 0.0;
        std::int32_t* member = member_.at_least(n);
        axis_.sort(gather(column, target_.order, n, ordered_.at_least(n)), n, member);
        std::int32_t* class_of_rank = class_of_rank_.at_least(n);
        for (std::int32_t rank = 0; rank < n; ++rank) class_of_rank[rank] = target_.class_of[member[rank]];
        return ross_(axis_, class_of_rank, target_.class_start, target_.n_repeated_classes);
    }

  private:
    const Target& target_;
    // Bytes a sample, together 92:
    Ross ross_;                                     // 18
    Axis axis_;                                     // 58
    Buffer<double> ordered_;                        //  8
    Buffer<std::int32_t> member_, class_of_rank_;  //  8
};

// A discrete column, a continuous target.
class RossDiscreteColumn {
  public:
    static constexpr bool kDiscreteColumn = true;
    static constexpr bool kNeighbors = true;

    explicit RossDiscreteColumn(const Target& target)
        : target_(target), n_(target.n_samples), ross_(target) {}

    // column: (n_samples,) as it is
    double operator()(const double* column) {
        classes_.find(gather(column, target_.order, n_, ordered_.at_least(n_)), n_, axis_);
        classes_.number_repeated(n_);
        if (classes_.n_repeated == 0) return 0.0;
        if (classes_.n_repeated == n_) return score(Ranks(target_.y));
        leave_out_lone();
        return score(axis_);
    }

  private:
    const Target& target_;
    const std::int32_t n_;
    // Bytes a sample, together 112:
    Ross ross_;               // 18
    Axis axis_;               // 58
    Classes classes_;         // 20
    Buffer<double> ordered_;  //  8
    Buffer<double> values_;   //  8

    double score(const Ranks& y) {
        return ross_(y, classes_.of.data(), classes_.start.data(), classes_.n_repeated_classes);
    }

    void leave_out_lone() {
        std::int32_t* class_of = classes_.of.data();
        double* values = values_.at_least(classes_.n_repeated);
        std::int32_t kept = 0;
        for (std::int32_t rank = 0; rank < n_; ++rank) {
            if (class_of[rank] < 0) continue;
            values[kept] = target_.y.values[rank];
            class_of[kept++] = class_of[rank];
        }
        axis_.assign(values, kept);
    }
};

}  // namespace skpar::SKPAR_ISA
