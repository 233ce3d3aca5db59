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
#include "block.hpp"
#include "buffer.hpp"

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
    Ross(const double* digamma, int n_neighbors) : digamma_(digamma), k_(n_neighbors) {}

    // `axis` holds the n values; class_of[rank] < n_classes is the class of each; class_start has
    // n_classes + 1 borders, and no class has less than two members.
    double score(const Axis& axis, const std::int32_t* class_of, const std::int32_t* class_start,
                 std::int32_t n_classes) {
        const std::int32_t n = axis.n;
        if (n == 0) return 0.0;
        double* z = values_.reserve(n);
        double* r = radius_.reserve(n);
        std::int32_t* next = next_.reserve(n_classes);
        std::copy(class_start, class_start + n_classes, next);
        for (std::int32_t rank = 0; rank < n; ++rank) z[next[class_of[rank]]++] = axis.values()[rank];
        double of_classes = 0.0;
        double sums[kPack] = {};
        for (std::int32_t c = 0; c < n_classes; ++c) {
            const std::int32_t begin = class_start[c], size = class_start[c + 1] - begin;
            const std::int32_t k = std::min(k_, size - 1);
            kth_neighbor_distances(z + begin, size, k, r + begin);
            axis.add_digammas(z + begin, r + begin, size, digamma_, sums);
            of_classes += size * (digamma_[k] - digamma_[size]);
        }
        return std::max(0.0, digamma_[n] + (of_classes - sum_of(sums)) / n);
    }

  private:
    const double* digamma_;
    std::int32_t k_;
    Buffer<double> values_, radius_;
    Buffer<std::int32_t> next_;
};

}  // namespace skpar::SKPAR_ISA
