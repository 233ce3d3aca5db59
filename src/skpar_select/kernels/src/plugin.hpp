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

    explicit Plugin(SortScratch& scratch) : sort_scratch_(scratch) {}

    // column: (n,) as it is; it must stay until the next
    void take(const double* column, std::int32_t n) {
        column_ = column;
        n_ = n;
        n_codes_ = number_codes(column, n, codes_.at_least(n));
    }

    // target: of the samples of the column
    double operator()(const GroupedSamples& target) {
        if (n_codes_ > 0 && std::int64_t(n_codes_) * target.n_classes <= n_) {
            return from_table(target);
        }
        classes_.find(gather(column_, target.order, n_, ordered_.at_least(n_)), n_, axis_, sort_scratch_);
        return from_classes(target);
    }

  private:
    SortScratch& sort_scratch_;
    const double* column_ = nullptr;
    std::int32_t n_ = 0, n_codes_ = 0;
    // Bytes a sample, together 54:
    Buffer<std::int32_t> codes_;  //  4
    Buffer<std::int32_t> count_;  //  4
    Axis axis_;                   // 22
    Classes classes_;             // 16
    Buffer<double> ordered_;      //  8

    // log(n n_xy / (n_x n_y)) times n_xy; log_x is log(n_x)
    static double term(const GroupedSamples& target, std::int32_t n_xy, double log_x, std::int32_t y) {
        const double* log = target.log;
        const double log_y = log[target.class_start[y + 1] - target.class_start[y]];
        return n_xy * (log[n_xy] - log_x - log_y + log[target.n]);
    }

    // Few classes: all pairs are counted in one table.
    double from_table(const GroupedSamples& target) {
        const std::int32_t n_codes = n_codes_;
        const std::int32_t n_y = target.n_classes;
        std::int32_t* count = count_.at_least(std::int64_t(n_codes) * n_y);
        std::fill(count, count + std::int64_t(n_codes) * n_y, 0);
        for (std::int32_t i = 0; i < n_; ++i) ++count[codes_[i] * n_y + target.class_of_sample[i]];
        double sum = 0.0;
        for (const std::int32_t* row = count; row < count + std::int64_t(n_codes) * n_y; row += n_y) {
            const double log_x = target.log[std::accumulate(row, row + n_y, 0)];
            for (std::int32_t y = 0; y < n_y; ++y) {
                if (row[y] > 0) sum += term(target, row[y], log_x, y);
            }
        }
        return std::max(0.0, sum / n_);
    }

    // Many classes: those of the column are counted one after the other.
    double from_classes(const GroupedSamples& target) {
        const std::int32_t *order = classes_.order.data(), *y_class = target.class_of;
        std::int32_t* count = count_.at_least(target.n_classes);
        std::fill(count, count + target.n_classes, 0);
        double sum = 0.0;
        for (std::int32_t x = 0; x < classes_.n_classes; ++x) {
            const std::int32_t begin = classes_.start[x], end = classes_.start[x + 1];
            const double log_x = target.log[end - begin];
            for (std::int32_t i = begin; i < end; ++i) ++count[y_class[order[i]]];
            for (std::int32_t i = begin; i < end; ++i) {
                const std::int32_t y = y_class[order[i]];
                if (count[y] == 0) continue;
                sum += term(target, count[y], log_x, y);
                count[y] = 0;
            }
        }
        return std::max(0.0, sum / n_);
    }
};

}  // namespace skpar::SKPAR_ISA
