// The classes of a discrete column: equal values, numbered in ascending order.

#pragma once

#include <algorithm>
#include <cstdint>

#include "axis.hpp"
#include "buffer.hpp"
#include "simd.hpp"

namespace skpar::SKPAR_ISA {

// Codes and genotypes are whole numbers of a small range. Writes x - low, and returns how many
// different numbers there may be; 0 where x is not whole, or its range is not below n.
inline std::int32_t number_codes(const double* x, std::int32_t n, Range range, std::int32_t* codes) {
    const auto [low, high] = range;
    if (!(high - low < n)) return 0;
    const Pack origin = Pack::all(low), shift = Pack::all(0x1p52);
    unsigned fractions = 0;
    const auto number = [&](const double* of_eight, std::int32_t* numbers) {
        const Pack values = Pack::load(of_eight);
        const Pack code = sub(add(sub(values, origin), shift), shift);  // rounded
        // not whether x - low is whole: 1e-20 and 0 are both 1 above -1
        const Pack value = add(origin, code);
        fractions |= less_bits(values, value) | less_bits(value, values);
        store_whole(numbers, code);
    };
    std::int32_t i = 0;
    for (; i + kPack <= n; i += kPack) number(x + i, codes + i);
    double rest[kPack];
    std::int32_t rest_codes[kPack];
    std::fill(std::copy(x + i, x + n, rest), rest + kPack, low);
    number(rest, rest_codes);
    std::copy(rest_codes, rest_codes + (n - i), codes + i);
    // the code of the highest value, rounded as the others are
    return fractions == 0 ? static_cast<std::int32_t>((high - low + 0x1p52) - 0x1p52) + 1 : 0;
}

// Bytes a sample, together 20, or 16 without `of`.
struct Classes {
    std::int32_t n_classes = 0;
    Buffer<std::int32_t> order;  // (n,) samples sorted by value
    Buffer<std::int32_t> start;  // (n_classes + 1,) boundaries of the classes in `order`
    // after number_repeated
    Buffer<std::int32_t> of;              // (n,) class of each sample, -1 where it is alone
    std::int32_t n_repeated_classes = 0;  // of two or more samples
    std::int32_t n_repeated = 0;          // samples in them

    // `axis` is scratch, too.
    void find(const double* x, std::int32_t n, Range range, Axis& axis, SortScratch& scratch) {
        order.at_least(n);
        start.at_least(n + 1);
        const std::int32_t n_codes = number_codes(x, n, range, codes_.at_least(n));
        if (n_codes > 0) count_codes(n, n_codes);
        else sort(x, n, axis, scratch);
        start[n_classes] = n;
    }

    // Number the classes of two or more samples anew; `start` follows, `order` does not.
    void number_repeated(std::int32_t n) {
        std::int32_t* class_of = of.at_least(n);
        n_repeated_classes = n_repeated = 0;
        for (std::int32_t c = 0; c < n_classes; ++c) {
            const std::int32_t begin = start[c], end = start[c + 1];
            const bool repeated = end - begin > 1;
            for (std::int32_t i = begin; i < end; ++i) class_of[order[i]] = repeated ? n_repeated_classes : -1;
            if (!repeated) continue;
            start[n_repeated_classes++] = n_repeated;
            n_repeated += end - begin;
        }
        start[n_repeated_classes] = n_repeated;
    }

    // And then those of a single sample.
    void number_lone(std::int32_t n) {
        for (std::int32_t i = 0, number = n_repeated_classes, rank = n_repeated; i < n; ++i) {
            if (of[order[i]] >= 0) continue;
            of[order[i]] = number++;
            start[number] = ++rank;
        }
    }

  private:
    Buffer<std::int32_t> codes_, next_;

    void sort(const double* x, std::int32_t n, Axis& axis, SortScratch& scratch) {
        axis.sort(x, n, order.data(), scratch);
        n_classes = 0;
        for (std::int32_t i = 0; i < n; ++i) {
            if (i == 0 || axis.values[i] != axis.values[i - 1]) start[n_classes++] = i;
        }
    }

    // At three classes 5 instead of 8 ns a sample.
    void count_codes(std::int32_t n, std::int32_t n_codes) {
        const std::int32_t* codes = codes_.data();
        std::int32_t* next = next_.at_least(n_codes);
        std::fill(next, next + n_codes, 0);
        for (std::int32_t i = 0; i < n; ++i) ++next[codes[i]];
        n_classes = 0;
        std::int32_t rank = 0;
        for (std::int32_t code = 0; code < n_codes; ++code) {
            const std::int32_t size = next[code];
            next[code] = rank;
            if (size > 0) start[n_classes++] = rank;
            rank += size;
        }
        for (std::int32_t i = 0; i < n; ++i) order[next[codes[i]]++] = i;
    }
};

// Fills `order` and `class_of` from the class of each sample. `next` is scratch.
inline void order_by_class(const GroupedSamples& samples, std::int32_t* order, std::int32_t* class_of,
                           Buffer<std::int32_t>& next) {
    std::int32_t* places = next.at_least(samples.n_classes);
    std::copy(samples.class_start, samples.class_start + samples.n_classes, places);
    const std::int32_t* class_of_sample = samples.class_of_sample;
    for (std::int32_t i = 0, n = samples.n; i < n; ++i) {
        const std::int32_t number = class_of_sample[i];
        const std::int32_t place = places[number]++;
        order[place] = i;
        class_of[place] = number;
    }
}

}  // namespace skpar::SKPAR_ISA
