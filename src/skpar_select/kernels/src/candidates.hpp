// The k-th smallest of many distances, for each point of a tile: to keep the k smallest sorted costs about
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
        kept_ = buffer_.at_least(n);
        size_ = 0;
    }

    void keep(Pack distance) { kept_[size_++] = distance; }
    std::int64_t size() const { return size_; }
    const Pack& operator[](std::int64_t i) const { return kept_[i]; }

    // The distance in place k in each lane, counted from 0: the largest that no more than k are below.
    // Where it is larger than `most`, more than `most` is returned.
    Pack select(int k, T most) const {
        const Pack enough = Pack::all(static_cast<T>(k + 1));
        Pack found = Pack::all(0);
        for (int bit = 1 << (31 - __builtin_clz(static_cast<unsigned>(most) + 1)); bit > 0; bit >>= 1) {
            const Pack tried = found + Pack::all(static_cast<T>(bit));
            const Pack below = count_below(tried);
            found = Pack::each([](auto old, auto better, auto count, auto least) { return count < least ? better : old; },
                               found, tried, below, enough);
        }
        return found;
    }

    Pack count_below(Pack limit) const {
        Pack below = Pack::all(0);
        for (std::int64_t i = 0; i < size_; ++i) below = count_less(below, kept_[i], limit);
        return below;
    }

    // The same for two limits, at the cost of one and a half.
    void count_below(Pack limit, Pack other_limit, Pack& below, Pack& other_below) const {
        Pack n = Pack::all(0), n_other = n;
        for (std::int64_t i = 0; i < size_; ++i) {
            n = count_less(n, kept_[i], limit);
            n_other = count_less(n_other, kept_[i], other_limit);
        }
        below = n;
        other_below = n_other;
    }

  private:
    Pack* kept_ = nullptr;
    std::int64_t size_ = 0;
    Buffer<Pack> buffer_;
};

}  // namespace skpar::SKPAR_ISA
