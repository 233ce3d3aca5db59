// Two discrete variables: the plug-in estimate, the mutual information of the observed frequencies
// (T. M. Cover, J. A. Thomas, Elements of Information Theory, 2006, doi:10.1002/047174882X, eq. 2.28):
//     MI = sum over pairs of classes of n_xy / n * log(n n_xy / (n_x n_y))

#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "axis.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

class Plugin {
  public:
    static constexpr bool kDiscreteColumn = true;
    static constexpr bool kNeighbors = false;

    explicit Plugin(const Target& target) : target_(target), n_(target.n_samples) {}

    // column: (n_samples,) as it is
    double operator()(const double* column) {
        const std::int32_t n_codes = number_codes(column, n_, codes_.at_least(n_));
        if (n_codes > 0 && std::int64_t(n_codes) * target_.n_classes <= n_) return from_table(n_codes);
        classes_.find(gather(column, target_.order, n_, ordered_.at_least(n_)), n_, axis_);
        return from_classes();
    }

  private:
    const Target& target_;
    const std::int32_t n_;
    // Bytes a sample, together 90:
    Buffer<std::int32_t> codes_;  //  4
    Buffer<std::int32_t> count_;  //  4
    Axis axis_;                   // 58
    Classes classes_;             // 16
    Buffer<double> ordered_;      //  8

    // log(n n_xy / (n_x n_y)) times n_xy; log_x is log(n_x)
    double term(std::int32_t n_xy, double log_x, std::int32_t y) const {
        const double* log = target_.log;
        const double log_y = log[target_.class_start[y + 1] - target_.class_start[y]];
        return n_xy * (log[n_xy] - log_x - log_y + log[n_]);
    }

    // Few classes: all pairs are counted in one table.
    double from_table(std::int32_t n_codes) {
        const std::int32_t n_y = target_.n_classes;
        std::int32_t* count = count_.at_least(std::int64_t(n_codes) * n_y);
        std::fill(count, count + std::int64_t(n_codes) * n_y, 0);
        for (std::int32_t i = 0; i < n_; ++i) ++count[codes_[i] * n_y + target_.class_of_sample[i]];
        double sum = 0.0;
        for (const std::int32_t* row = count; row < count + std::int64_t(n_codes) * n_y; row += n_y) {
            const double log_x = target_.log[std::accumulate(row, row + n_y, 0)];
            for (std::int32_t y = 0; y < n_y; ++y) {
                if (row[y] > 0) sum += term(row[y], log_x, y);
            }
        }
        return std::max(0.0, sum / n_);
    }

    // Many classes: those of the column are counted one after the other.
    double from_classes() {
        const std::int32_t *order = classes_.order.data(), *y_class = target_.class_of;
        std::int32_t* count = count_.at_least(target_.n_classes);
        std::fill(count, count + target_.n_classes, 0);
        double sum = 0.0;
        for (std::int32_t x = 0; x < classes_.n_classes; ++x) {
            const std::int32_t begin = classes_.start[x], end = classes_.start[x + 1];
            const double log_x = target_.log[end - begin];
            for (std::int32_t i = begin; i < end; ++i) ++count[y_class[order[i]]];
            for (std::int32_t i = begin; i < end; ++i) {
                const std::int32_t y = y_class[order[i]];
                if (count[y] == 0) continue;
                sum += term(count[y], log_x, y);
                count[y] = 0;
            }
        }
        return std::max(0.0, sum / n_);
    }
};

}  // namespace skpar::SKPAR_ISA
