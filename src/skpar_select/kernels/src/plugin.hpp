// Two discrete variables: the plug-in estimate, the mutual information of the observed frequencies
// (T. M. Cover, J. A. Thomas, Elements of Information Theory, 2006, doi:10.1002/047174882X, eq. 2.28):
//     MI = sum over pairs of classes of n_xy / n * log(n n_xy / (n_x n_y))

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "axis.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "complete_cases.hpp"
#include "pace.hpp"
#include "target.hpp"

namespace skpar::SKPAR_ISA {

class Plugin {
  public:
    static constexpr bool kDiscreteColumn = true, kRanked = false;

    Plugin(SortScratch& scratch, bool, Pace&) : sort_scratch_(scratch) {}

    // column: (n,) as it is; it must stay until the next
    void take(const double* column, std::int32_t n, Range range) {
        column_ = column;
        n_ = n;
        n_codes_ = number_codes(column, n, range, codes_.at_least(n));
    }

    // target: of the samples of the column
    double operator()(const GroupedSamples& target) {
        if (n_codes_ > 0 && std::int64_t(n_codes_) * target.n_classes <= n_) {
            count(target, n_codes_);
            return from_table(target, target.n_classes, [](std::int32_t y) { return y; });
        }
        const double* x = gather(column_, target.order, n_, ordered_.at_least(n_));
        classes_.find(x, n_, range_of(x, n_), axis_, sort_scratch_);
        return from_classes(target);
    }

    // A column with gaps, of which there are `n_missing`: what is missing is one more code, which is not
    // summed. Returns how many classes a target may have, so that all pairs are counted in one table.
    std::int64_t take_with_gaps(const double* column, std::int32_t n, std::int32_t n_missing, Range range) {
        n_ = n;
        n_missing_ = n_missing;
        if (!(range.high - range.low < n)) return 0;
        std::int32_t* codes = codes_.at_least(n);
        const double of_missing = std::floor(range.high - range.low) + 1.0;
        bool whole = true;
        const auto number = [&](const double* values, std::int32_t* numbers, std::int32_t size) {
            double code[kPack];
            or_else(sub(Pack::load(values), Pack::all(range.low)), Pack::all(of_missing)).store(code);
            for (std::int32_t lane = 0; lane < size; ++lane) {
                numbers[lane] = static_cast<std::int32_t>(code[lane]);
                const double value = range.low + numbers[lane];
                whole &= !(values[lane] < value || values[lane] > value);  // true of NaN
            }
        };
        std::int32_t i = 0;
        for (; i + kPack <= n; i += kPack) number(column + i, codes + i, kPack);
        double rest[kPack] = {};
        std::copy(column + i, column + n, rest);
        number(rest, codes + i, n - i);
        n_codes_ = static_cast<std::int32_t>(of_missing);
        return whole ? n / (n_codes_ + 1) : 0;
    }

    // After take_with_gaps; target: of all samples.
    double with_gaps(const Target& target, GroupedCases& cases) {
        const std::int32_t n_y = target.grouped.n_classes;
        count(target.grouped, n_codes_ + 1);
        if (!cases.number(target, n_ - n_missing_, count_.data() + std::int64_t(n_codes_) * n_y)) return 0.0;
        const std::int32_t* classes = cases.classes();
        return from_table(cases, n_y, [classes](std::int32_t y) { return classes[y]; });
    }

  private:
    static constexpr std::int32_t kTables = 4;

    SortScratch& sort_scratch_;
    const double* column_ = nullptr;
    std::int32_t n_ = 0, n_codes_ = 0, n_missing_ = 0;
    // Bytes a sample, together 51:
    Buffer<std::int32_t> codes_;  //  4
    Buffer<std::int32_t> count_;  //  4
    Axis axis_;                   // 19
    Classes classes_;             // 16
    Buffer<double> ordered_;      //  8

    // log(n n_xy / (n_x n_y)) times n_xy; log_x is log(n_x)
    static double term(const GroupedSamples& target, std::int32_t n_xy, double log_x, std::int32_t y) {
        const double* log = target.log;
        const double log_y = log[target.class_start[y + 1] - target.class_start[y]];
        return n_xy * (log[n_xy] - log_x - log_y + log[target.n]);
    }

    // Few classes: all pairs are counted in one table, a row for each code of the column.
    void count(const GroupedSamples& target, std::int32_t n_rows) {
        const std::int32_t n_y = target.n_classes;
        const std::int64_t size = std::int64_t(n_rows) * n_y;
        // A pair that follows its like waits for the other's count to be written, but in another table.
        const std::int64_t n_tables = size * kTables <= n_ ? kTables : 1;
        std::int32_t* counts = count_.at_least(size * n_tables);
        std::fill(counts, counts + size * n_tables, 0);
        const std::int32_t *codes = codes_.data(), *y = target.class_of_sample, n = n_;
        std::int32_t i = 0;
        for (; n_tables > 1 && i + kTables <= n; i += kTables) {
#pragma GCC unroll 4
            for (std::int32_t t = 0; t < kTables; ++t) ++counts[t * size + codes[i + t] * n_y + y[i + t]];
        }
        for (; i < n; ++i) ++counts[codes[i] * n_y + y[i]];
        for (std::int64_t j = size; j < size * n_tables; ++j) counts[j % size] += counts[j];
    }

    // A row has `n_y` counts; that of a class of the target lies at place(class).
    template <class Place>
    double from_table(const GroupedSamples& target, std::int32_t n_y, Place place) const {
        const std::int32_t* row = count_.data();
        double sum = 0.0;
        for (std::int32_t code = 0; code < n_codes_; ++code, row += n_y) {
            const double log_x = target.log[std::accumulate(row, row + n_y, 0)];
            for (std::int32_t y = 0; y < target.n_classes; ++y) {
                const std::int32_t n_xy = row[place(y)];
                if (n_xy > 0) sum += term(target, n_xy, log_x, y);
            }
        }
        return sum / target.n;
    }

    // Many classes: those of the column are counted one after the other.
    double from_classes(const GroupedSamples& target) {
        const std::int32_t *order = classes_.order.data(), *y_class = target.class_of;
        std::int32_t* counts = count_.at_least(target.n_classes);
        std::fill(counts, counts + target.n_classes, 0);
        double sum = 0.0;
        for (std::int32_t x = 0; x < classes_.n_classes; ++x) {
            const std::int32_t begin = classes_.start[x], end = classes_.start[x + 1];
            const double log_x = target.log[end - begin];
            for (std::int32_t i = begin; i < end; ++i) ++counts[y_class[order[i]]];
            for (std::int32_t i = begin; i < end; ++i) {
                const std::int32_t y = y_class[order[i]];
                if (counts[y] == 0) continue;
                sum += term(target, counts[y], log_x, y);
                counts[y] = 0;
            }
        }
        return sum / n_;
    }
};

}  // namespace skpar::SKPAR_ISA
