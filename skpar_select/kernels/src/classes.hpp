// The classes of a discrete column: equal values, numbered in ascending order.

#pragma once

#include <cstdint>

#include "axis.hpp"
#include "buffer.hpp"

namespace skpar::SKPAR_ISA {

struct Classes {
    std::int32_t n_classes = 0;
    Buffer<std::int32_t> order;  // (n,) samples sorted by value
    Buffer<std::int32_t> start;  // (n_classes + 1,) borders in `order`

    void find(const double* x, std::int32_t n) {
        axis_.sort(x, n, order.reserve(n));
        start.reserve(n + 1);
        n_classes = 0;
        for (std::int32_t i = 0; i < n; ++i) {
            if (i == 0 || axis_.values()[i] != axis_.values()[i - 1]) start[n_classes++] = i;
        }
        start[n_classes] = n;
    }

  private:
    Axis axis_;
};

}  // namespace skpar::SKPAR_ISA
