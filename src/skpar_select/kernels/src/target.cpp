// The making of a target: once a fit, by one build of the code. The kernels of all instruction sets
// read what it made.

#include "target.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>

#include "axis.hpp"
#include "bands.hpp"
#include "buffer.hpp"
#include "classes.hpp"
#include "column.hpp"

namespace skpar {

using namespace SKPAR_ISA;

// Bytes a sample, of a continuous target together 54. While it is sorted, the bands are not there yet,
// but the values once more, and the scratch of the axis: 94. A discrete one takes less.
struct Target::Memory {
    Buffer<double> digamma, log;  //  16
    Buffer<double> raw;           //   8
    Buffer<std::int32_t> order;   //   4
    Axis axis;                    //  22, and 36 of scratch
    BandCutter cutter;            // 4.5
    Classes classes;
    Buffer<std::int32_t> class_of;
};

namespace {

void require(bool condition, const char* rule) {
    if (!condition) throw std::invalid_argument(rule);
}

// A copy of n values, all of at most the limit, which NaN and infinity are not.
const double* copy_within(double limit, const double* values, std::int64_t n, Buffer<double>& buffer,
                         const char* rule) {
    const double* copy = std::copy(values, values + n, buffer.at_least(n)) - n;
    require(std::all_of(copy, copy + n, [limit](double value) { return std::fabs(value) <= limit; }), rule);
    return copy;
}

}  // namespace

Target::Target(const double* given, std::int64_t n, bool of_classes, Table digammas, Table logs, std::int64_t k,
               std::uint64_t key)
    : seed(key), discrete(of_classes), memory_(std::make_unique<Memory>()) {
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
    if (discrete) group(raw);
    else sort();
    if (discrete) raw = nullptr;
    memory_->axis.release_scratch();
    order = memory_->order.data();
    if (discrete) constant = n_classes == 1;
    else bands = memory_->cutter.cut(y.values, n_samples, band_height(n_samples), 0.0);
}

Target::~Target() = default;

void Target::sort() {
    Buffer<double> buffer;
    double* values = std::copy(raw, raw + n_samples, buffer.at_least(n_samples)) - n_samples;
    const Scaling scaling = scaling_of(values, n_samples);
    constant = scaling.is_constant();
    standardize(values, n_samples, scaling, seed, kTargetColumn);
    memory_->axis.sort(values, n_samples, memory_->order.at_least(n_samples));
    y = memory_->axis;
    tie_share = Ties(y.values, n_samples).share;
}

void Target::group(const double* labels) {
    Classes& classes = memory_->classes;
    classes.find(labels, n_samples, memory_->axis);
    classes.number_repeated(n_samples);
    classes.number_lone(n_samples);
    n_classes = classes.n_classes;
    n_repeated_classes = classes.n_repeated_classes;
    n_repeated = classes.n_repeated;
    class_start = classes.start.data();
    class_of_sample = classes.of.data();
    std::int32_t* samples = memory_->order.at_least(n_samples);
    std::int32_t* class_of_rank = memory_->class_of.at_least(n_samples);
    Buffer<std::int32_t> buffer;
    std::int32_t* next = std::copy(class_start, class_start + n_classes, buffer.at_least(n_classes)) - n_classes;
    for (std::int32_t i = 0; i < n_samples; ++i) {
        const std::int32_t rank = next[class_of_sample[i]]++;
        samples[rank] = i;
        class_of_rank[rank] = class_of_sample[i];
    }
    class_of = class_of_rank;
}

}  // namespace skpar
