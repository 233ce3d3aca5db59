// The classes of a discrete column: equal values, numbered in ascending order.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "axis.hpp"
#include "buffer.hpp"

namespace skpar::SKPAR_ISA {

struct Classes {
    std::int32_t n_classes = 0;
    Buffer<std::int32_t> order;  // (n,) samples sorted by value
    Buffer<std::int32_t> start;  // (n_classes + 1,) borders in `order`

    void find(const double* x, std::int32_t n) {
        std::int32_t* samples = order.reserve(n);
        // the axis takes differences, and those of huge values overflow
        if (std::any_of(x, x + n, [](double value) { return std::fabs(value) > 0x1p+1000; })) {
            std::iota(samples, samples + n, 0);
            std::stable_sort(samples, samples + n, [=](std::int32_t a, std::int32_t b) { return x[a] < x[b]; });
            part(n, [=](std::int32_t i) { return x[samples[i]]; });
        } else {
            axis_.sort(x, n, samples);
            part(n, [this](std::int32_t i) { return axis_.values()[i]; });
        }
    }

  private:
    Axis axis_;

    // Borders where sorted values differ.
    template <class Value>
    void part(std::int32_t n, Value value) {
        start.reserve(n + 1);
        n_classes = 0;
        for (std::int32_t i = 0; i < n; ++i) {
            if (i == 0 || value(i) != value(i - 1)) start[n_classes++] = i;
        }
        start[n_classes] = n;
    }
};

}  // namespace skpar::SKPAR_ISA
