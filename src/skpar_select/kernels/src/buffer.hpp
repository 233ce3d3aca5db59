// Uninitialised arrays that are reused from column to column.

#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "simd.hpp"

namespace skpar::SKPAR_ISA {

// Arrays that are walked at random want large pages: at n = 1,000,000 a column costs a tenth less.
constexpr std::size_t kLargePage = std::size_t(1) << 21;
constexpr std::size_t kCacheLine = 64;

template <class T>
class Buffer {
  public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { release(); }

    // Room for at least `size` elements. Where that takes a larger array, the contents are lost.
    T* at_least(std::int64_t size) {
        if (size > capacity_) {
            release();
            const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(T);
            alignment_ = std::align_val_t(bytes < kLargePage ? kCacheLine : kLargePage);
            data_ = static_cast<T*>(::operator new(bytes, alignment_));
#ifdef __linux__
            if (bytes >= kLargePage) madvise(data_, bytes, MADV_HUGEPAGE);
#endif
            capacity_ = size;
        }
        return data_;
    }
    T* data() const { return data_; }
    T& operator[](std::int64_t i) const { return data_[i]; }

    void release() {
        ::operator delete(data_, alignment_);
        data_ = nullptr;
        capacity_ = 0;
    }

  private:
    T* data_ = nullptr;
    std::int64_t capacity_ = 0;
    std::align_val_t alignment_ = std::align_val_t(kCacheLine);
};

}  // namespace skpar::SKPAR_ISA
