// The k-th smallest of many whole distances, for each point of a tile: to keep the k smallest sorted takes
// 2 k steps a distance; to keep all that are near, and to select one of them, two for each bit.

#pragma once

#include <algorithm>
#include <cstdint>

#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

template <class T>
T largest_of(IntegerPack<T> pack) {
    T lanes[IntegerPack<T>::kSize];
    pack.store(lanes);
    return *std::max_element(lanes, lanes + IntegerPack<T>::kSize);
}

template <class T>
T least_of(IntegerPack<T> pack) {
    T lanes[IntegerPack<T>::kSize];
    pack.store(lanes);
    return *std::min_element(lanes, lanes + IntegerPack<T>::kSize);
}

// The distances of points to those of a tile.
template <class T>
class Candidates {
  public:
    using Pack = IntegerPack<T>;

    // Forget all. There is room for n points.
    void clear(std::int64_t n) {
        kept_ = buffer_.at_least(n + 1);
        size_ = 0;
    }

    // Keeps a distance if it is near; without a branch.
    void keep(Pack distance, bool is_near) {
        kept_[size_] = distance;
        size_ += is_near;
    }

    // The distance in place k in each lane, counted from 0: the largest that no more than k are below.
    // Where it is larger than `most`, more than `most` is returned.
    Pack select(int k, T most) const {
        const Pack enough = Pack::all(static_cast<T>(k + 1));
        Pack found = Pack::all(0);
        for (int bit = 1 << (31 - __builtin_clz(static_cast<unsigned>(most) + 1)); bit > 0; bit >>= 1) {
            const Pack tried = found + Pack::all(static_cast<T>(bit));
            Pack below = Pack::all(0);
            for (std::int64_t i = 0; i < size_; ++i) below = count_less(below, kept_[i], tried);
            found = Pack::each([](auto old, auto better, auto count, auto least) { return count < least ? better : old; },
                               found, tried, below, enough);
        }
        return found;
    }

  private:
    Pack* kept_ = nullptr;
    std::int64_t size_ = 0;
    Buffer<Pack> buffer_;
};

}  // namespace skpar::SKPAR_ISA
