// The binding: checks every argument, then calls the kernel of the chosen instruction set without
// the interpreter lock. Nothing else lives here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "block.hpp"
#include "lzf.hpp"
#include "nh.hpp"

namespace nb = nanobind;

namespace skpar {
namespace baseline { extern const Kernel kernel; }
#ifdef SKPAR_X86
namespace avx2 { extern const Kernel kernel; }
namespace avx512 { extern const Kernel kernel; }
#endif

namespace {

using Matrix = nb::ndarray<nb::ro, nb::ndim<2>, nb::device::cpu>;
using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Scores = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Order = nb::ndarray<std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Decoded = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Columns = nb::ndarray<double, nb::ndim<2>, nb::f_contig, nb::device::cpu>;

std::vector<const Kernel*> available_kernels() {
    std::vector<const Kernel*> kernels = {&baseline::kernel};
#ifdef SKPAR_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) kernels.push_back(&avx2::kernel);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        kernels.push_back(&avx512::kernel);
    }
#endif
    return kernels;
}

const Kernel* chosen = available_kernels().back();

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernel* kernel : available_kernels()) names.push_back(kernel->name);
    return names;
}

void use_instruction_set(const std::string& name) {
    for (const Kernel* kernel : available_kernels()) {
        if (name == kernel->name) {
            chosen = kernel;
            return;
        }
    }
    throw std::invalid_argument("instruction set '" + name + "' is not available on this processor");
}

void require(bool condition, const char* rule) {
    if (!condition) throw std::invalid_argument(rule);
}

Type type_of(const nb::dlpack::dtype& dtype) {
    using Code = nb::dlpack::dtype_code;
    require(dtype.lanes == 1, "block: one number an element");
    const auto code = static_cast<Code>(dtype.code);
    const int bits = dtype.bits;
    if (code == Code::Float && bits == 16) return Type::float16;
    if (code == Code::Float && bits == 32) return Type::float32;
    if (code == Code::Float && bits == 64) return Type::float64;
    if (code == Code::Int && bits == 8) return Type::int8;
    if (code == Code::Int && bits == 16) return Type::int16;
    if (code == Code::Int && bits == 32) return Type::int32;
    if (code == Code::Int && bits == 64) return Type::int64;
    if ((code == Code::UInt || code == Code::Bool) && bits == 8) return Type::uint8;
    if (code == Code::UInt && bits == 16) return Type::uint16;
    if (code == Code::UInt && bits == 32) return Type::uint32;
    if (code == Code::UInt && bits == 64) return Type::uint64;
    throw std::invalid_argument("block: its dtype must be float16, float32, float64, an integer or bool");
}

Block view(const Matrix& block, const bool* discrete, std::uint64_t first_column, std::uint64_t seed) {
    require(block.shape(0) >= 2, "block: at least 2 samples");
    require(block.shape(0) <= std::size_t(1) << 30, "block: at most 2**30 samples");
    const auto size = static_cast<std::int64_t>(block.itemsize());
    return {static_cast<const char*>(block.data()),
            type_of(block.dtype()),
            static_cast<std::int64_t>(block.shape(0)),
            static_cast<std::int64_t>(block.shape(1)),
            block.stride(0) * size,
            block.stride(1) * size,
            discrete,
            first_column,
            seed};
}

Tables tables(const Doubles& digamma, const Doubles& log, std::int64_t n_neighbors, std::size_t n) {
    require(digamma.shape(0) == n + 1 && log.shape(0) == n + 1, "tables: n_samples + 1 entries");
    require(n_neighbors >= 1 && n_neighbors < static_cast<std::int64_t>(n), "n_neighbors: 1 .. n_samples - 1");
    return {digamma.data(), log.data(), static_cast<std::int32_t>(n_neighbors)};
}

void require_permutation(const Ints& order, std::size_t n) {
    require(order.shape(0) == n, "order: one entry a sample");
    std::vector<bool> seen(n, false);
    for (std::size_t i = 0; i < n; ++i) {
        const std::int32_t sample = order.data()[i];
        require(sample >= 0 && static_cast<std::size_t>(sample) < n && !seen[sample], "order: a permutation");
        seen[sample] = true;
    }
}

void report(std::int64_t column, std::uint64_t first_column) {
    if (column >= 0) {
        const std::string name = std::to_string(first_column + static_cast<std::uint64_t>(column));
        throw std::invalid_argument("column " + name + " holds NaN or infinity");
    }
}

void score_continuous(const Matrix& block, const Mask& discrete, std::uint64_t first_column, std::uint64_t seed,
                      const Ints& order, const Doubles& values, const Doubles& digamma, const Doubles& log,
                      std::int64_t n_neighbors, const Scores& scores) {
    const std::size_t n = block.shape(0);
    const Block input = view(block, discrete.data(), first_column, seed);
    require(discrete.shape(0) == block.shape(1), "discrete: one entry a column");
    require(scores.shape(0) == block.shape(1), "scores: one entry a column");
    require_permutation(order, n);
    require(values.shape(0) == n, "values: one entry a sample");
    for (std::size_t i = 0; i < n; ++i) {
        require(std::fabs(values.data()[i]) < 1e100, "values: standardized");
        require(i == 0 || values.data()[i - 1] <= values.data()[i], "values: ascending");
    }
    const Tables lookup = tables(digamma, log, n_neighbors, n);
    const ContinuousTarget target = {order.data(), values.data()};
    std::int64_t column;
    {
        nb::gil_scoped_release release;
        column = chosen->score_continuous(input, target, lookup, scores.data());
    }
    report(column, first_column);
}

void score_discrete(const Matrix& block, const Mask& discrete, std::uint64_t first_column, std::uint64_t seed,
                    const Ints& order, const Ints& class_start, const Doubles& digamma, const Doubles& log,
                    std::int64_t n_neighbors, const Scores& scores) {
    const std::size_t n = block.shape(0);
    const Block input = view(block, discrete.data(), first_column, seed);
    require(discrete.shape(0) == block.shape(1), "discrete: one entry a column");
    require(scores.shape(0) == block.shape(1), "scores: one entry a column");
    require_permutation(order, n);
    const std::size_t borders = class_start.shape(0);
    require(borders >= 2 && borders <= n + 1, "class_start: from 1 to n_samples classes");
    const std::int32_t* start = class_start.data();
    require(start[0] == 0 && start[borders - 1] == static_cast<std::int32_t>(n), "class_start: from 0 to n_samples");
    std::int32_t n_repeated = 0;
    for (std::size_t c = 1; c < borders; ++c) {
        require(start[c - 1] < start[c], "class_start: no empty class");
        if (start[c] - start[c - 1] == 1) continue;
        require(n_repeated == start[c - 1], "class_start: classes of one sample last");
        n_repeated = start[c];
    }
    const Tables lookup = tables(digamma, log, n_neighbors, n);
    const DiscreteTarget target = {order.data(), start, static_cast<std::int32_t>(borders - 1), n_repeated};
    std::int64_t column;
    {
        nb::gil_scoped_release release;
        column = chosen->score_discrete(input, target, lookup, scores.data());
    }
    report(column, first_column);
}

void standardize(const Matrix& block, std::uint64_t first_column, std::uint64_t seed, const Columns& out) {
    require(out.shape(0) == block.shape(0) && out.shape(1) == block.shape(1), "out: shaped like the block");
    const Block input = view(block, nullptr, first_column, seed);
    std::int64_t column;
    {
        nb::gil_scoped_release release;
        column = chosen->standardize(input, out.data());
    }
    report(column, first_column);
}

void sort(const Doubles& values, const Order& order, const Scores& sorted) {
    const std::size_t n = values.shape(0);
    require(n >= 1 && n <= std::size_t(1) << 30, "values: from 1 to 2**30");
    require(order.shape(0) == n && sorted.shape(0) == n, "order, sorted: one entry a value");
    for (std::size_t i = 0; i < n; ++i) require(std::isfinite(values.data()[i]), "values: finite");
    nb::gil_scoped_release release;
    chosen->sort(values.data(), static_cast<std::int32_t>(n), order.data(), sorted.data());
}

bool decode_lzf_bytes(const Bytes& raw, const Decoded& out) {
    nb::gil_scoped_release release;
    return decode_lzf(raw.data(), raw.size(), out.data(), out.size());
}

void compress_bytes(const Bytes& raw, const Decoded& out) {
    require(out.size() == (raw.size() + nh_block - 1) / nh_block * nh_bytes, "out: 16 bytes for every KiB of raw");
    nb::gil_scoped_release release;
    compress(raw.data(), raw.size(), out.data());
}

}  // namespace
}  // namespace skpar

NB_MODULE(_kernels, m) {
    using namespace nb::literals;
    m.def("instruction_sets", &skpar::instruction_sets);
    m.def("instruction_set", [] { return std::string(skpar::chosen->name); });
    m.def("use_instruction_set", &skpar::use_instruction_set, "name"_a);
    m.def("score_continuous", &skpar::score_continuous, "block"_a, "discrete"_a, "first_column"_a, "seed"_a,
          "order"_a, "values"_a, "digamma"_a, "log"_a, "n_neighbors"_a, "scores"_a.noconvert());
    m.def("score_discrete", &skpar::score_discrete, "block"_a, "discrete"_a, "first_column"_a, "seed"_a,
          "order"_a, "class_start"_a, "digamma"_a, "log"_a, "n_neighbors"_a, "scores"_a.noconvert());
    m.def("standardize", &skpar::standardize, "block"_a, "first_column"_a, "seed"_a, "out"_a.noconvert());
    m.def("sort", &skpar::sort, "values"_a, "order"_a.noconvert(), "sorted"_a.noconvert());
    m.def("compress", &skpar::compress_bytes, "raw"_a, "out"_a.noconvert());
    m.def("decode_lzf", &skpar::decode_lzf_bytes, "raw"_a, "out"_a.noconvert());
}
