// What the binding hands to a kernel: plain views and numbers, no Python.

#pragma once

#include <cstdint>

#include "target.hpp"

namespace skpar {

// Every dtype that a block may have: name, C++ type, code and bits in DLPack. What numpy calls bool
// has bytes of 0 and 1.
#define SKPAR_DTYPES(X)                 \
    X(float16, Half, Float, 16)         \
    X(float32, float, Float, 32)        \
    X(float64, double, Float, 64)       \
    X(int8, std::int8_t, Int, 8)        \
    X(int16, std::int16_t, Int, 16)     \
    X(int32, std::int32_t, Int, 32)     \
    X(int64, std::int64_t, Int, 64)     \
    X(uint8, std::uint8_t, UInt, 8)     \
    X(uint16, std::uint16_t, UInt, 16)  \
    X(uint32, std::uint32_t, UInt, 32)  \
    X(uint64, std::uint64_t, UInt, 64)  \
    X(boolean, std::uint8_t, Bool, 8)

enum class Type {
#define SKPAR_NAME_OF(name, type, code, bits) name,
    SKPAR_DTYPES(SKPAR_NAME_OF)
#undef SKPAR_NAME_OF
};

struct Column {
    std::uint64_t index;  // in the whole matrix: keys the noise
    bool discrete;
};

// A block of columns as it lies in memory; strides are in bytes and may be negative.
struct Block {
    const char* data;
    Type type;
    std::int64_t n_samples;
    std::int64_t n_columns;
    std::int64_t row_stride;
    std::int64_t column_stride;
    const Column* columns;  // (n_columns,)
};

// What NaN in a column means: a fault, or a missing value.
struct Missing {
    bool allowed;
    std::int64_t min_observed;  // a column with fewer values has no score
};

// Targets of the same samples, seed and kind.
struct Targets {
    const Target* const* of;
    std::int64_t n;
};

// Asked again and again in a call; it throws where the call is to end.
struct Pause {
    void (*look)(void* context);
    void* context;
};

// Where the results of a call go.
struct Scores {
    double* of;                // (n_targets, n_columns), in nats, not clipped; NaN where too few values are there
    double* rho;               // (n_targets, n_columns), Spearman's rank correlation, NaN where there is none; or null
    std::int64_t* n_observed;  // (n_columns,), how many values are there
};

// All return the position of the first column with a value that is not allowed, or -1.
struct Kernel {
    const char* name;
    std::int64_t (*score)(const Targets&, const Block&, const Missing&, const Pause&, const Scores&);
    // out: (n_samples, n_columns), column after column
    std::int64_t (*standardize)(const Block&, const Pause&, std::uint64_t seed, double* out);
    // out: the same, the ranks from 0 on
    std::int64_t (*rank)(const Block&, const Pause&, std::uint64_t seed, std::int32_t* out);
};

}  // namespace skpar
