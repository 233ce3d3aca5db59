// The making of a target: once a fit, by one build of the code. The kernels of all instruction sets
// read what it made.

#include "target.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "axis.hpp"
#include "bands.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"
#include "noise.hpp"
#include "ranking.hpp"

namespace skpar {

using namespace SKPAR_ISA;

// Bytes a sample, of a continuous target together 63, and 8 more where it has large ties. While it is
// sorted, there are but the tables, the values twice, the order, and the axis with its scratch: 71. A
// discrete one takes less.
struct Target::Memory {
    Buffer<double> digamma, log;           //  16
    Buffer<double> raw, noise;             //  16
    Buffer<std::int32_t> order, rank_of;   //   8
    Axis axis;                             //  19
    BandCutter cutter;                     // 4.5
    Buffer<std::int32_t> tie_of, noise_order;
    Buffer<std::int32_t> tie_size;
    Classes classes;
    Buffer<std::int32_t> class_of, value_rank;
};

namespace {

void require(bool condition, const char* rule) {
    if (!condition) throw std::invalid_argument(rule);
}

// From so many equal values before a value on, on average, ties count as large.
constexpr double kLargeTies = 1.0;

// A copy of n values, all of at most the limit, which NaN and infinity are not.
const double* copy_within(double limit, const double* values, std::int64_t n, Buffer<double>& buffer,
                         const char* rule) {
    const double* copy = std::copy(values, values + n, buffer.at_least(n)) - n;
    require(std::all_of(copy, copy + n, [limit](double value) { return std::fabs(value) <= limit; }), rule);
    return copy;
}

}  // namespace

Target::Target(const double* given, std::int64_t n, bool of_classes, Table digammas, Table logs, std::int64_t k,
               std::uint64_t key, bool in_rank_space)
    : seed(key), discrete(of_classes), ranked(in_rank_space), memory_(std::make_unique<Memory>()) {
    require(n >= 2, "y: at least 2 samples");
    require(n <= std::int64_t(1) << 30, "y: at most 2**30 samples");
    require(k >= 1 && k < n, "n_neighbors: 1 .. n_samples - 1");
    require(digammas.size == n + 1 && logs.size == n + 1, "digamma, log: n_samples + 1 entries");
    n_samples = static_cast<std::int32_t>(n);
    n_neighbors = static_cast<std::int32_t>(k);
    // log(2**30) is 20.8; an entry that is wrong gives wrong scores, and does no other harm
    digamma = copy_within(32.0, digammas.entries, n + 1, memory_->digamma, "digamma: of whole numbers");
    log = copy_within(32.0, logs.entries, n + 1, memory_->log, "log: of whole numbers");
    Buffer<double> labels;
    raw = copy_within(std::numeric_limits<double>::max(), given, n, discrete ? labels : memory_->raw,
                      "y: without NaN or infinity");
    if (discrete) {
        group(raw);
        raw = nullptr;
    } else if (ranked) {
        rank();
        const std::uint64_t tie_key = noise_key(seed, kTargetColumn);
        find_ties(1.0, [tie_key](std::int32_t i, std::int32_t j) { return breaks_tie(tie_key, i, j); });
    } else {
        sort();
        find_ties(kLargeTies * n_samples, [this](std::int32_t i, std::int32_t j) {
            return noise[i] < noise[j] || (noise[i] == noise[j] && i < j);
        });
    }
}

Target::~Target() = default;

void Target::sort() {
    std::int32_t* order = memory_->order.at_least(n_samples);
    {
        Buffer<double> buffer;
        SortScratch scratch;
        double* values = std::copy(raw, raw + n_samples, buffer.at_least(n_samples)) - n_samples;
        const Scaling scaling = scaling_of(values, n_samples);
        constant = scaling.is_constant();
        standardize(values, n_samples, scaling, seed, kTargetColumn);
        memory_->axis.sort(values, n_samples, order, scratch);
    }
    std::int32_t* rank_of = memory_->rank_of.at_least(n_samples);
    for (std::int32_t rank = 0; rank < n_samples; ++rank) rank_of[order[rank]] = rank;
    const RankTable& y = memory_->axis;
    const BandTable bands = memory_->cutter.cut(y.values, n_samples, band_height(n_samples), 0.0);
    sorted = {n_samples, n_neighbors, digamma, order, rank_of, y, bands, Ties(y.values, n_samples).share};
    noise = fill_noise(memory_->noise.at_least(n_samples), n_samples, seed, kTargetColumn);
}

void Target::rank() {
    std::int32_t* order = memory_->order.at_least(n_samples);
    const Range range = range_of(raw, n_samples);
    constant = range.low == range.high;
    const std::uint64_t key = noise_key(seed, kTargetColumn);
    Ranking().sort(raw, n_samples, range, key, order);
    std::int32_t* rank_of = memory_->rank_of.at_least(n_samples);
    for (std::int32_t rank = 0; rank < n_samples; ++rank) rank_of[order[rank]] = rank;
    sorted = {};
    sorted.order = order;
    ranked_samples = {n_samples, n_neighbors, digamma, rank_of};
}

// Where samples are missing, the others get a noise of their new place, and ties another order. If ties
// are large, they are not mended by insertion, but dealt out in the order of the noise.
template <class Before>
void Target::find_ties(double least_pairs, Before before) {
    n_ties = 0;
    std::int32_t* ties = memory_->tie_of.at_least(n_samples + 1);
    std::int32_t tie = 0;
    double pairs = 0.0;
    for (std::int32_t rank = 0, begin = 0; rank < n_samples; ++rank) {
        const double value = raw[sorted.order[rank]];
        const double last = raw[sorted.order[rank > 0 ? rank - 1 : 0]];
        if (value < last) return;  // values that differ by less than the noise
        if (value > last) {
            ++tie;
            begin = rank;
        }
        pairs += rank - begin;
        ties[sorted.order[rank]] = tie;
    }
    ties[n_samples] = tie + 1;
    if (pairs < least_pairs) {
        memory_->tie_of.release();
        return;
    }
    n_ties = tie + 1;
    std::int32_t* sizes = memory_->tie_size.at_least(n_ties);
    std::fill(sizes, sizes + n_ties, 0);
    for (std::int32_t i = 0; i < n_samples; ++i) ++sizes[ties[i]];
    std::int32_t* by_noise = memory_->noise_order.at_least(n_samples);
    std::iota(by_noise, by_noise + n_samples, 0);
    std::sort(by_noise, by_noise + n_samples, before);
    tie_of = ties;
    tie_size = sizes;
    noise_order = by_noise;
}

void Target::group(const double* labels) {
    Classes& classes = memory_->classes;
    {
        SortScratch scratch;
        classes.find(labels, n_samples, range_of(labels, n_samples), memory_->axis, scratch);
    }
    classes.number_repeated(n_samples);
    classes.number_lone(n_samples);
    constant = classes.n_classes == 1;
    std::int32_t* ranks = memory_->value_rank.at_least(classes.n_classes);
    for (std::int32_t i = 0, rank = 0, last = -1; i < n_samples; ++i) {
        const std::int32_t number = classes.of[classes.order[i]];
        if (number != last) ranks[number] = rank++;
        last = number;
    }
    value_rank = ranks;
    Buffer<std::int32_t> next;
    grouped = {n_samples, n_neighbors, digamma, log, memory_->order.at_least(n_samples), classes.n_classes,
               classes.n_repeated_classes, classes.n_repeated, classes.start.data(), classes.of.data(),
               memory_->class_of.at_least(n_samples)};
    order_by_class(grouped, memory_->order.data(), memory_->class_of.data(), next);
}

}  // namespace skpar
