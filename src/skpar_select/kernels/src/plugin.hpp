// Two discrete variables: the plug-in estimate, the mutual information of the observed frequencies
// (T. M. Cover, J. A. Thomas, Elements of Information Theory, 2006, doi:10.1002/047174882X, eq. 2.28):
//     MI = sum over cells of n_xy / n * log(n n_xy / (n_x n_y))

#pragma once

#include <algorithm>
#include <cstdint>

#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

class Plugin {
  public:
    explicit Plugin(const double* log) : log_(log) {}

    // order: the samples sorted by x; x_start: the n_x + 1 borders of its classes in there;
    // y_class[sample] < n_y; y_start: the n_y + 1 borders of the classes of y.
    double score(const std::int32_t* order, const std::int32_t* x_start, std::int32_t n_x,
                 const std::int32_t* y_class, const std::int32_t* y_start, std::int32_t n_y) {
        const std::int32_t n = x_start[n_x];
        std::int32_t* count = count_.reserve(n_y);
        std::fill(count, count + n_y, 0);
        double sum = 0.0;
        for (std::int32_t c = 0; c < n_x; ++c) {
            const double log_x = log_[x_start[c + 1] - x_start[c]];
            for (std::int32_t i = x_start[c]; i < x_start[c + 1]; ++i) ++count[y_class[order[i]]];
            for (std::int32_t i = x_start[c]; i < x_start[c + 1]; ++i) {
                const std::int32_t y = y_class[order[i]];
                if (count[y] == 0) continue;
                const double log_y = log_[y_start[y + 1] - y_start[y]];
                sum += count[y] * (log_[count[y]] - log_x - log_y + log_[n]);
                count[y] = 0;
            }
        }
        return std::max(0.0, sum / n);
    }

    // The same from a table of counts. codes[sample] < n_x, in the order of y_class.
    double score_codes(const std::int32_t* codes, std::int32_t n, std::int32_t n_x,
                       const std::int32_t* y_class, const std::int32_t* y_start, std::int32_t n_y) {
        std::int32_t* count = count_.reserve(std::int64_t(n_x) * n_y);
        std::fill(count, count + std::int64_t(n_x) * n_y, 0);
        for (std::int32_t i = 0; i < n; ++i) ++count[codes[i] * n_y + y_class[i]];
        double sum = 0.0;
        for (std::int32_t x = 0; x < n_x; ++x) {
            const std::int32_t* row = count + std::int64_t(x) * n_y;
            std::int32_t size = 0;
            for (std::int32_t y = 0; y < n_y; ++y) size += row[y];
            for (std::int32_t y = 0; y < n_y; ++y) {
                if (row[y] == 0) continue;
                const double log_y = log_[y_start[y + 1] - y_start[y]];
                sum += row[y] * (log_[row[y]] - log_[size] - log_y + log_[n]);
            }
        }
        return std::max(0.0, sum / n);
    }

  private:
    const double* log_;
    Buffer<std::int32_t> count_;
};

}  // namespace skpar::SKPAR_ISA
