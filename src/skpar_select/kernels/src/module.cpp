// The binding: checks every argument, then calls the kernel of the chosen instruction set without
// the interpreter lock. Nothing else lives here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "block.hpp"
#include "target.hpp"

namespace nb = nanobind;

namespace skpar {
namespace baseline { extern const Kernel kernel; }
#ifdef SKPAR_X86
namespace avx2 { extern const Kernel kernel; }
namespace avx512 { extern const Kernel kernel; }
#endif

namespace {

template <class T>
using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<nb::ro, nb::ndim<2>, nb::device::cpu>;
using ScoreArray = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Columns = nb::ndarray<T, nb::ndim<2>, nb::f_contig, nb::device::cpu>;

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

// Read once by every call, so that a call in another thread may change it at any time.
std::atomic<const Kernel*> chosen = available_kernels().back();

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
#define SKPAR_TYPE(name, type, dlpack_code, n_bits) \
    if (dtype.code == static_cast<std::uint8_t>(Code::dlpack_code) && dtype.bits == n_bits) return Type::name;
    SKPAR_DTYPES(SKPAR_TYPE)
#undef SKPAR_TYPE
    throw std::invalid_argument("block: its dtype must be float16, float32, float64, an integer or bool");
}

Block view(const Matrix& block, const std::vector<Column>& columns) {
    require(block.shape(0) >= 2, "block: at least 2 samples");
    require(block.shape(0) <= std::size_t(1) << 30, "block: at most 2**30 samples");
    const auto size = static_cast<std::int64_t>(block.itemsize());
    return {static_cast<const char*>(block.data()),
            type_of(block.dtype()),
            static_cast<std::int64_t>(block.shape(0)),
            static_cast<std::int64_t>(block.shape(1)),
            block.stride(0) * size,
            block.stride(1) * size,
            columns.data()};
}

// A copy, for the arrays may change while the lock is free.
std::vector<Column> copy_of(const Vector<const std::uint64_t>& indices, std::size_t n) {
    require(indices.shape(0) == n, "columns: one index a column");
    std::vector<Column> columns(n);
    for (std::size_t j = 0; j < n; ++j) columns[j] = {indices.data()[j], false};
    return columns;
}

// The caller's tuple keeps them alive.
std::vector<const Target*> pointers_to(const nb::tuple& targets) {
    std::vector<const Target*> pointers;
    for (const nb::handle target : targets) {
        if (!nb::isinstance<Target>(target) || !nb::inst_ready(target)) {
            throw nb::type_error("targets: a tuple of targets that prepare_target made");
        }
        pointers.push_back(nb::inst_ptr<Target>(target));
    }
    require(!pointers.empty(), "targets: at least one");
    const Target& first = *pointers.front();
    for (const Target* target : pointers) {
        require(target->n_samples == first.n_samples && target->seed == first.seed &&
                    target->discrete == first.discrete && target->ranked == first.ranked,
                "targets: of the same number of samples, seed, kind and marginals");
    }
    return pointers;
}

// What a call gives that was stopped, and what ends it.
constexpr std::int64_t kStopped = -2;
struct Stopped {};

// Another thread sets the flag, without a lock.
void look_at_flag(void* flag) {
    if (*static_cast<const volatile std::uint8_t*>(flag) != 0) throw Stopped();
}

// Python runs its handlers in the main thread, when that asks. Ten times a second is often enough for
// Ctrl-C, and the lock of Python, which must be taken for it, may take 5 ms.
class Signals {
  public:
    static void look(void* self) { static_cast<Signals*>(self)->look(); }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(100);

    void look() {
        if (Clock::now() < next_) return;
        nb::gil_scoped_acquire held;
        if (PyErr_CheckSignals() != 0) throw nb::python_error();
        next_ = Clock::now() + std::chrono::milliseconds(100);
    }
};

std::int64_t score(const nb::tuple& targets, const Matrix& block, const Vector<const bool>& discrete,
                   const Vector<const std::uint64_t>& indices, std::optional<std::int64_t> min_observed,
                   const ScoreArray& scores, const Vector<std::int64_t>& n_observed,
                   const std::optional<ScoreArray>& rho,
                   const std::optional<Vector<const bool>>& stop) {
    const std::vector<const Target*> pointers = pointers_to(targets);
    const std::size_t width = block.shape(1);
    std::vector<Column> columns = copy_of(indices, width);
    const Block input = view(block, columns);
    require(input.n_samples == pointers.front()->n_samples, "block: one row for each of the target's samples");
    require(discrete.shape(0) == width, "discrete: one entry a column");
    require(scores.shape(0) == pointers.size() && scores.shape(1) == width, "scores: n_targets x n_columns");
    require(n_observed.shape(0) == width, "n_observed: one entry a column");
    const Target& first = *pointers.front();
    require(rho.has_value() == (first.ranked && !first.discrete), "rho: where continuous targets are ranked");
    require(!rho || (rho->shape(0) == pointers.size() && rho->shape(1) == width), "rho: n_targets x n_columns");
    // as bytes: a bool of another value than 0 and 1 is undefined, and a view of an array may have it
    const auto* mask = reinterpret_cast<const std::uint8_t*>(discrete.data());
    for (std::size_t j = 0; j < width; ++j) columns[j].discrete = mask[j] != 0;
    const Targets of_all = {pointers.data(), static_cast<std::int64_t>(pointers.size())};
    const Missing missing = {min_observed.has_value(), min_observed.value_or(0)};
    require(!stop || stop->shape(0) == 1, "stop: one flag");
    Signals signals;
    const Pause pause = stop ? Pause{look_at_flag, const_cast<bool*>(stop->data())}
                             : Pause{Signals::look, &signals};
    const Scores results = {scores.data(), rho ? rho->data() : nullptr, n_observed.data()};
    nb::gil_scoped_release release;
    try {
        return chosen.load()->score(of_all, input, missing, pause, results);
    } catch (const Stopped&) {
        return kStopped;
    }
}

// What the estimators see of a block.
template <class See, class T>
std::int64_t see(See see_block, const Matrix& block, const Vector<const std::uint64_t>& indices, std::uint64_t seed,
                 const Columns<T>& out) {
    require(out.shape(0) == block.shape(0) && out.shape(1) == block.shape(1), "out: shaped like the block");
    const std::vector<Column> columns = copy_of(indices, block.shape(1));
    const Block input = view(block, columns);
    Signals signals;
    nb::gil_scoped_release release;
    return (chosen.load()->*see_block)(input, {Signals::look, &signals}, seed, out.data());
}

std::int64_t standardize(const Matrix& block, const Vector<const std::uint64_t>& indices, std::uint64_t seed,
                         const Columns<double>& out) {
    return see(&Kernel::standardize, block, indices, seed, out);
}

std::int64_t rank(const Matrix& block, const Vector<const std::uint64_t>& indices, std::uint64_t seed,
                  const Columns<std::int32_t>& out) {
    return see(&Kernel::rank, block, indices, seed, out);
}

void make_target(Target* self, const Vector<const double>& y, bool discrete, const Vector<const double>& digamma,
                 const Vector<const double>& log, std::int64_t n_neighbors, std::uint64_t seed, bool ranked) {
    const auto size = [](const auto& array) { return static_cast<std::int64_t>(array.shape(0)); };
    new (self) Target(y.data(), size(y), discrete, {digamma.data(), size(digamma)}, {log.data(), size(log)},
                      n_neighbors, seed, ranked);
}

template <class T>
nb::object array_of(const T* values, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    return nb::cast(nb::ndarray<nb::numpy, const T, nb::ndim<1>>(values, {size}), nb::rv_policy::copy);
}

nb::object digamma_of(const Target& t) { return array_of(t.digamma, std::int64_t(t.n_samples) + 1); }
nb::object log_of(const Target& t) { return array_of(t.log, std::int64_t(t.n_samples) + 1); }
nb::object order_of(const Target& t) {
    return array_of(t.discrete ? t.grouped.order : t.sorted.order, t.n_samples);
}
nb::object values_of(const Target& t) {
    return t.discrete || t.ranked ? nb::none() : array_of(t.sorted.y.values, t.n_samples);
}
nb::object class_start_of(const Target& t) {
    return t.discrete ? array_of(t.grouped.class_start, t.grouped.n_classes + 1) : nb::none();
}

// Made anew from its arguments, with all checks; classes are known by their numbers.
nb::tuple reduce(nb::handle self) {
    const auto& t = nb::cast<const Target&>(self);
    std::vector<double> classes;
    if (t.discrete) classes.assign(t.grouped.class_of_sample, t.grouped.class_of_sample + t.n_samples);
    const nb::object copy = array_of(t.discrete ? classes.data() : t.raw, t.n_samples);
    return nb::make_tuple(self.type(), nb::make_tuple(copy, t.discrete, digamma_of(t), log_of(t), t.n_neighbors,
                                                      t.seed, t.ranked));
}

}  // namespace
}  // namespace skpar

NB_MODULE(_kernels, m) {
    using namespace nb::literals;
    using namespace skpar;
    m.def("instruction_sets", &instruction_sets);
    m.def("instruction_set", [] { return std::string(chosen.load()->name); });
    m.def("use_instruction_set", &use_instruction_set, "name"_a);
    nb::class_<Target>(m, "Target", nb::is_final(), "A target, sorted or grouped. Made by prepare_target.")
        .def("__init__", &make_target, "y"_a.noconvert(), "discrete"_a.noconvert(), "digamma"_a.noconvert(),
             "log"_a.noconvert(), "n_neighbors"_a, "seed"_a, "ranked"_a.noconvert())
        .def("__reduce__", &reduce)
        .def_ro("n_samples", &Target::n_samples)
        .def_ro("discrete", &Target::discrete)
        .def_ro("n_neighbors", &Target::n_neighbors)
        .def_ro("seed", &Target::seed)
        .def_prop_ro("marginals", [](const Target& t) { return t.ranked ? "rank" : "raw"; })
        .def_prop_ro("order", &order_of)
        .def_prop_ro("values", &values_of)
        .def_prop_ro("class_start", &class_start_of)
        .def_prop_ro("digamma", &digamma_of)
        .def_prop_ro("log", &log_of);
    m.def("score", &score, "targets"_a, "block"_a, "discrete"_a.noconvert(), "columns"_a.noconvert(),
          "min_observed"_a.none(), "scores"_a.noconvert(), "n_observed"_a.noconvert(),
          "rho"_a.noconvert().none(), "stop"_a.noconvert() = nb::none());
    m.attr("STOPPED") = kStopped;
    m.def("ranks", &rank, "block"_a, "columns"_a.noconvert(), "seed"_a, "out"_a.noconvert());
    m.def("standardize", &standardize, "block"_a, "columns"_a.noconvert(), "seed"_a, "out"_a.noconvert());
}
