// What the binding hands to a kernel: plain views and numbers, no Python.

#pragma once

#include <cstdint>

namespace skpar {

enum class Type { float16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64 };

// A block of columns as it lies in memory; strides are in bytes and may be negative.
struct Block {
    const char* data;
    Type type;
    std::int64_t n_samples;
    std::int64_t n_features;
    std::int64_t row_stride;
    std::int64_t column_stride;
    const bool* discrete;        // (n_features,)
    std::uint64_t first_column;  // its index in the whole matrix: keys the noise
    std::uint64_t seed;
};

// A continuous target, sorted.
struct ContinuousTarget {
    const std::int32_t* order;  // (n_samples,) the sample of each rank
    const double* values;       // (n_samples,) ascending, standardized and jittered
};

// A discrete target: samples grouped by class, classes of a single sample last.
struct DiscreteTarget {
    const std::int32_t* order;        // (n_samples,)
    const std::int32_t* class_start;  // (n_classes + 1,) borders of the classes in `order`
    std::int32_t n_classes;
    std::int32_t n_repeated;  // samples in classes of two or more
};

struct Tables {
    const double* digamma;      // digamma(0 .. n_samples), entry 0 unused
    const double* log;          // log(0 .. n_samples), entry 0 unused
    std::int32_t n_neighbors;
};

// Writes n_features scores in nats. Returns the index of the first column that is not finite,
// or -1 where all are.
using ScoreContinuous = std::int64_t (*)(const Block&, const ContinuousTarget&, const Tables&, double* scores);
using ScoreDiscrete = std::int64_t (*)(const Block&, const DiscreteTarget&, const Tables&, double* scores);
// Sorts finite values; equal ones keep their order.
using Sort = void (*)(const double* values, std::int32_t n, std::int32_t* order, double* sorted);
using Standardize = std::int64_t (*)(const Block&, double* out);

struct Kernel {
    const char* name;
    ScoreContinuous score_continuous;
    ScoreDiscrete score_discrete;
    Standardize standardize;
    Sort sort;
};

}  // namespace skpar
