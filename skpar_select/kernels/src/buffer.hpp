// Uninitialised scratch arrays that grow and are reused from column to column.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "simd.hpp"

namespace skpar::SKPAR_ISA {

template <class T>
class Buffer {
  public:
    T* reserve(std::int64_t size) {
        if (size > capacity_) {
            data_.reset(new T[static_cast<std::size_t>(size)]);
            capacity_ = size;
        }
        return data_.get();
    }
    T* data() const { return data_.get(); }
    T& operator[](std::int64_t i) const { return data_[i]; }

  private:
    std::unique_ptr<T[]> data_;
    std::int64_t capacity_ = 0;
};

}  // namespace skpar::SKPAR_ISA
