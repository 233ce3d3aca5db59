// The target, prepared once for all columns.
//
// The kernels of all instruction sets read the same target, so what they read is plain data without
// a function: the linker merges equal inline functions, and one that was compiled for AVX-512 must
// not end up in the baseline kernel. What is done with the data stands in axis.hpp and bands.hpp,
// in one namespace for each instruction set.

#pragma once

#include <cstdint>
#include <memory>

namespace skpar {

// A linear map from values to bins 0 .. n_bins - 1.
struct BinMap {
    double low;
    double scale;
    std::int32_t n_bins;
};

// The table of one overfull bin.
struct InnerTable {
    BinMap map;
    const std::int32_t* start;  // (n_bins + 1,) rank of each bin's first value, then of the end
};

// A sorted variable, with a table from value to rank.
struct RankTable {
    std::int32_t n;
    const double* values;  // (n,) ascending, with eight sentinels before them and sixteen behind
    BinMap map;
    const std::int32_t* start;  // as in an inner table; ~i where inner table i tells
    const InnerTable* inner;
    bool crowded;  // many values are in bins of eight or more that have no inner table
};

// A sorted variable, cut into bands of consecutive ranks.
struct BandTable {
    std::int32_t n_bands;
    const std::int32_t* first;  // (n_bands + 1,) first rank of each band
    const std::int32_t* of;     // (n,) band of each rank
};

// Samples in the order of a continuous target.
struct SortedSamples {
    std::int32_t n;
    std::int32_t n_neighbors;
    const double* digamma;        // (n + 1,)
    const std::int32_t* order;    // (n,) the samples by value
    const std::int32_t* rank_of;  // (n,) of each sample
    RankTable y;
    BandTable bands;
    double tie_share;  // see Ties; below 0 where it was not looked at yet
};

// Samples by the ranks of a continuous target, where ties are broken at random.
struct RankedSamples {
    std::int32_t n;
    std::int32_t n_neighbors;
    const double* digamma;        // (n + 1,)
    const std::int32_t* rank_of;  // (n,) of each sample
};

// Samples in the classes of a discrete target: those of a single sample come last.
struct GroupedSamples {
    std::int32_t n;
    std::int32_t n_neighbors;
    const double *digamma, *log;  // (n + 1,)
    const std::int32_t* order;    // (n,) the samples, class by class
    std::int32_t n_classes;
    std::int32_t n_repeated_classes;      // of two or more samples
    std::int32_t n_repeated;              // samples in them
    const std::int32_t* class_start;      // (n_classes + 1,) boundaries of the classes in `order`
    const std::int32_t* class_of_sample;  // (n,)
    const std::int32_t* class_of;         // (n,) the same in the order of `order`
};

// A function of 0 .. n, taken from outside; entry 0 is never used.
struct Table {
    const double* entries;
    std::int64_t size;
};

// Keys the noise of the target; no column has this index.
constexpr std::uint64_t kTargetColumn = std::uint64_t(1) << 63;

// Owns what it points to, and never changes once it is made.
struct Target {
    // y: (n_samples,) the values, or numbers that tell the classes; in the order of the samples. A
    // continuous target is standardized and jittered here, or ranked. All is copied before it is looked at, so that no other thread changes what was
    // found right. Throws std::invalid_argument.
    Target(const double* y, std::int64_t n_samples, bool discrete, Table digamma, Table log,
           std::int64_t n_neighbors, std::uint64_t seed, bool ranked);
    ~Target();

    std::int32_t n_samples;
    std::int32_t n_neighbors;
    std::uint64_t seed;
    bool discrete;
    bool ranked;  // scored in rank space: continuous columns, too
    bool constant;
    const double *digamma, *log;  // (n_samples + 1,)

    SortedSamples sorted;          // of a continuous target
    RankedSamples ranked_samples;  // of one in rank space, where `sorted` has its order alone
    GroupedSamples grouped;        // of a discrete one

    // of a continuous target
    const double* raw;    // (n_samples,) as given
    const double* noise;  // (n_samples,) of each sample, in units of the standardized values
    // of one with large ties, or any in rank space, where n_ties is not 0
    std::int32_t n_ties;
    const std::int32_t* tie_of;       // (n_samples + 1,) ties are numbered by value; the last entry is n_ties
    const std::int32_t* tie_size;     // (n_ties,)
    const std::int32_t* noise_order;  // (n_samples,) samples by their noise, or by the hash that orders ties

    // of a discrete target
    const std::int32_t* value_rank;  // (n_classes,) of each class

  private:
    struct Memory;
    std::unique_ptr<Memory> memory_;

    void sort();
    void rank();
    // Ties count where there are so many equal values before a value, on average; `before` orders them.
    template <class Before>
    void find_ties(double least_pairs, Before before);
    void group(const double* classes);
};

}  // namespace skpar
