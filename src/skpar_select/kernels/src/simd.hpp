// All SIMD of the package: a Pack is eight doubles, held in as many native vectors as the
// instruction set needs. Every operation is per lane or exact, so that a result does not depend on
// SKPAR_LANES, the number of doubles in one native vector (8: AVX-512, 4: AVX2, 2: SSE2 and NEON).

#pragma once

#include <cstdint>
#include <cstring>

#ifndef __GNUC__
#error "skpar_select needs GCC or Clang: it uses __builtin_ctz, __builtin_cpu_supports and #pragma GCC unroll"
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
#define SKPAR_LANES 8
#elif defined(__AVX2__)
#include <immintrin.h>
#define SKPAR_LANES 4
#elif defined(__SSE2__)
#include <emmintrin.h>
#define SKPAR_LANES 2
#elif defined(__aarch64__)
#include <arm_neon.h>
#define SKPAR_LANES 2
#else
#define SKPAR_LANES 1
#endif

// One namespace for each build of this code: the linker must never merge a function that was
// compiled for AVX-512 with its baseline twin.
#ifndef SKPAR_ISA
#define SKPAR_ISA baseline
#endif

namespace skpar::SKPAR_ISA {

constexpr int kLanes = SKPAR_LANES;
constexpr int kPack = 8;
constexpr int kVectors = kPack / kLanes;

// What the vectors of x86 have in common but for the prefix of their intrinsics.
#define SKPAR_X86(Native, prefix)                                                     \
    using Vector = Native;                                                            \
    inline Vector load(const double* p) { return prefix##_loadu_pd(p); }              \
    inline void store(double* p, Vector a) { prefix##_storeu_pd(p, a); }              \
    inline Vector broadcast(double a) { return prefix##_set1_pd(a); }                 \
    inline Vector add(Vector a, Vector b) { return prefix##_add_pd(a, b); }           \
    inline Vector sub(Vector a, Vector b) { return prefix##_sub_pd(a, b); }           \
    inline Vector mul(Vector a, Vector b) { return prefix##_mul_pd(a, b); }           \
    inline Vector min(Vector a, Vector b) { return prefix##_min_pd(a, b); }           \
    inline Vector max(Vector a, Vector b) { return prefix##_max_pd(a, b); }
#define SKPAR_X86_MAX_ABS(prefix)                                                     \
    inline Vector max_abs(Vector a, Vector b) {                                       \
        const Vector sign = broadcast(-0.0);                                          \
        return max(prefix##_andnot_pd(sign, a), prefix##_andnot_pd(sign, b));         \
    }

// clang-format off
#if SKPAR_LANES == 8
SKPAR_X86(__m512d, _mm512)
// one instruction here: the selection "larger absolute value, sign cleared"
inline Vector max_abs(Vector a, Vector b) { return _mm512_range_pd(a, b, 0b1011); }
// AMD's Zen 4 adds and takes minima in the same two pipes, and multiplies and compares in two others. The search for
// neighbours takes 17.4 ns in place of 21.8 where both share the work: a * 1 - b rounds as a - b does.
inline Vector difference(Vector a, Vector b) { return _mm512_fmsub_pd(a, broadcast(1.0), b); }
inline Vector second_of(Vector low, Vector high, Vector a) {
    return _mm512_mask_mov_pd(min(high, a), _mm512_cmp_pd_mask(a, low, _CMP_LT_OQ), low);
}
inline void store_whole(std::int32_t* p, Vector a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvttpd_epi32(a));
}
inline Vector or_else(Vector a, Vector b) { return _mm512_mask_mov_pd(b, _mm512_cmp_pd_mask(a, a, _CMP_EQ_OQ), a); }
inline unsigned less_bits(Vector a, Vector b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
#elif SKPAR_LANES == 4
SKPAR_X86(__m256d, _mm256)
SKPAR_X86_MAX_ABS(_mm256)
inline void store_whole(std::int32_t* p, Vector a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvttpd_epi32(a));
}
inline Vector or_else(Vector a, Vector b) { return _mm256_blendv_pd(b, a, _mm256_cmp_pd(a, a, _CMP_EQ_OQ)); }
inline unsigned less_bits(Vector a, Vector b) {
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)));
}
#elif defined(__SSE2__)
SKPAR_X86(__m128d, _mm)
SKPAR_X86_MAX_ABS(_mm)
inline void store_whole(std::int32_t* p, Vector a) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_cvttpd_epi32(a));
}
inline Vector or_else(Vector a, Vector b) {
    const Vector number = _mm_cmpeq_pd(a, a);
    return _mm_or_pd(_mm_and_pd(number, a), _mm_andnot_pd(number, b));
}
inline unsigned less_bits(Vector a, Vector b) {
    return static_cast<unsigned>(_mm_movemask_pd(_mm_cmplt_pd(a, b)));
}
#elif defined(__aarch64__)
using Vector = float64x2_t;
inline Vector load(const double* p) { return vld1q_f64(p); }
inline void store(double* p, Vector a) { vst1q_f64(p, a); }
inline Vector broadcast(double a) { return vdupq_n_f64(a); }
inline Vector add(Vector a, Vector b) { return vaddq_f64(a, b); }
inline Vector sub(Vector a, Vector b) { return vsubq_f64(a, b); }
inline Vector mul(Vector a, Vector b) { return vmulq_f64(a, b); }
inline Vector min(Vector a, Vector b) { return vminq_f64(a, b); }
inline Vector max(Vector a, Vector b) { return vmaxq_f64(a, b); }
inline Vector max_abs(Vector a, Vector b) { return vmaxq_f64(vabsq_f64(a), vabsq_f64(b)); }
inline void store_whole(std::int32_t* p, Vector a) { vst1_s32(p, vmovn_s64(vcvtq_s64_f64(a))); }
inline Vector or_else(Vector a, Vector b) { return vbslq_f64(vceqq_f64(a, a), a, b); }
inline unsigned less_bits(Vector a, Vector b) {
    const uint64x2_t less = vcltq_f64(a, b);
    return static_cast<unsigned>((vgetq_lane_u64(less, 0) & 1) | (vgetq_lane_u64(less, 1) & 2));
}
#else
using Vector = double;
inline Vector load(const double* p) { return *p; }
inline void store(double* p, Vector a) { *p = a; }
inline Vector broadcast(double a) { return a; }
inline Vector add(Vector a, Vector b) { return a + b; }
inline Vector sub(Vector a, Vector b) { return a - b; }
inline Vector mul(Vector a, Vector b) { return a * b; }
inline Vector min(Vector a, Vector b) { return a < b ? a : b; }
inline Vector max(Vector a, Vector b) { return a > b ? a : b; }
inline Vector max_abs(Vector a, Vector b) {
    return max(a < 0 ? -a : a, b < 0 ? -b : b);
}
inline Vector or_else(Vector a, Vector b) { return a == a ? a : b; }
inline void store_whole(std::int32_t* p, Vector a) { *p = static_cast<std::int32_t>(a); }
inline unsigned less_bits(Vector a, Vector b) { return a < b; }
#endif
// clang-format on
#if SKPAR_LANES != 8
inline Vector difference(Vector a, Vector b) { return sub(a, b); }
inline Vector second_of(Vector low, Vector high, Vector a) { return min(high, max(low, a)); }
#endif
#undef SKPAR_X86
#undef SKPAR_X86_MAX_ABS

// f(0), f(1) .. for each native vector of a Pack. Not a loop: GCC 12 unrolls one too late to keep the vectors
// in registers, and the search for neighbours takes four times as long with AVX2.
template <int I = 0, class F>
[[gnu::always_inline]] inline void each_vector(F f) {
    if constexpr (I < kVectors) {
        f(I);
        each_vector<I + 1>(f);
    }
}

struct Pack {
    Vector v[kVectors];

    static Pack load(const double* p) {
        Pack a;
        each_vector([&](int i) { a.v[i] = SKPAR_ISA::load(p + i * kLanes); });
        return a;
    }
    static Pack all(double value) {
        Pack a;
        each_vector([&](int i) { a.v[i] = broadcast(value); });
        return a;
    }
    void store(double* p) const {
        each_vector([&](int i) { SKPAR_ISA::store(p + i * kLanes, v[i]); });
    }
};

#define SKPAR_LANEWISE(name)                                                            \
    inline Pack name(Pack a, Pack b) {                                                  \
        each_vector([&](int i) { a.v[i] = SKPAR_ISA::name(a.v[i], b.v[i]); });    \
        return a;                                                                       \
    }
SKPAR_LANEWISE(add)
SKPAR_LANEWISE(sub)
SKPAR_LANEWISE(mul)
SKPAR_LANEWISE(min)
SKPAR_LANEWISE(max)
SKPAR_LANEWISE(max_abs)
// a - b
SKPAR_LANEWISE(difference)
// a where it is a number, b where it is NaN
SKPAR_LANEWISE(or_else)
#undef SKPAR_LANEWISE

// The second smallest of low <= high and a.
inline Pack second_of(Pack low, Pack high, Pack a) {
    each_vector([&](int i) { a.v[i] = second_of(low.v[i], high.v[i], a.v[i]); });
    return a;
}

// The numbers without their fractions; they are in the range of p's type.
inline void store_whole(std::int32_t* p, Pack a) {
    each_vector([&](int i) { store_whole(p + i * kLanes, a.v[i]); });
}

// bit i is set where a < b in lane i
inline unsigned less_bits(Pack a, Pack b) {
    unsigned bits = 0;
    each_vector([&](int i) { bits |= less_bits(a.v[i], b.v[i]) << (i * kLanes); });
    return bits;
}

// x where a < b, else y
inline Pack where_less(Pack a, Pack b, Pack x, Pack y) {
    each_vector([&](int i) {
#if SKPAR_LANES == 8
        a.v[i] = _mm512_mask_mov_pd(y.v[i], _mm512_cmp_pd_mask(a.v[i], b.v[i], _CMP_LT_OQ), x.v[i]);
#else
        a.v[i] = a.v[i] < b.v[i] ? x.v[i] : y.v[i];
#endif
    });
    return a;
}

// Writes the lanes where a < b one after another, and maybe more behind them: there must be room for eight.
// Returns how many they are.
inline int keep_less(Pack a, Pack b, double* out) {
    const unsigned bits = less_bits(a, b);
#if SKPAR_LANES == 8
    _mm512_storeu_pd(out, _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), a.v[0]));
    return __builtin_popcount(bits);
#else
    double lanes[kPack];
    a.store(lanes);
    int n = 0;
    for (int i = 0; i < kPack; ++i) {
        out[n] = lanes[i];
        n += bits >> i & 1;
    }
    return n;
#endif
}

// Whether none is NaN or infinite: x * 0 is 0 for a finite x and NaN otherwise.
inline bool all_finite(Pack a) { return less_bits(mul(a, Pack::all(0.0)), Pack::all(1.0)) == 0xff; }

// 64 bytes of whole numbers, 32 of 16 bits or 16 of 32, in as many native vectors. Nothing overflows
// that is done with them, so that the compiler's own vectors do: only a look at all lanes differs.
template <class T>
struct IntegerPack {
    static constexpr int kSize = 64 / sizeof(T);
    static constexpr int kNativeBytes = 8 * kLanes;
    typedef T Native __attribute__((vector_size(kNativeBytes)));
    // each_vector halves the time of a column in rank space with AVX2. With SSE2 the ten nearest are 40 vectors for
    // 16 registers, and 127 ns a sample become 94 where they stay in memory.
    static constexpr bool kLoops = kVectors > 2;

    Native v[kVectors];

    static IntegerPack load(const T* p) {
        IntegerPack a;
        if constexpr (kLoops) {
            std::memcpy(a.v, p, sizeof a.v);
        } else {
            each_vector([&](int i) { std::memcpy(&a.v[i], p + i * (kSize / kVectors), sizeof a.v[i]); });
        }
        return a;
    }
    static IntegerPack all(T value) {
        IntegerPack a;
        if constexpr (kLoops) {
            for (int i = 0; i < kVectors; ++i) a.v[i] = value - Native{};
        } else {
            each_vector([&](int i) { a.v[i] = value - Native{}; });
        }
        return a;
    }
    void store(T* p) const {
        if constexpr (kLoops) {
            std::memcpy(p, v, sizeof v);
        } else {
            each_vector([&](int i) { std::memcpy(p + i * (kSize / kVectors), &v[i], sizeof v[i]); });
        }
    }

    // f(native vectors) for each
    template <class F, class... Others>
    static IntegerPack each(F f, const Others&... others) {
        IntegerPack a;
        if constexpr (kLoops) {
            for (int i = 0; i < kVectors; ++i) a.v[i] = f(others.v[i]...);
        } else {
            each_vector([&](int i) { a.v[i] = f(others.v[i]...); });
        }
        return a;
    }
    friend IntegerPack operator+(IntegerPack a, IntegerPack b) {
        return each([](Native x, Native y) { return x + y; }, a, b);
    }
    friend IntegerPack operator-(IntegerPack a, IntegerPack b) {
        return each([](Native x, Native y) { return x - y; }, a, b);
    }
    friend IntegerPack min(IntegerPack a, IntegerPack b) {
        return each([](Native x, Native y) { return x < y ? x : y; }, a, b);
    }
    friend IntegerPack max(IntegerPack a, IntegerPack b) {
        return each([](Native x, Native y) { return x > y ? x : y; }, a, b);
    }
    friend IntegerPack abs(IntegerPack a) {
        return each([](Native x) { return x < 0 ? -x : x; }, a);
    }
};

// One more in the lanes where a < b.
template <class T>
inline IntegerPack<T> count_less(const IntegerPack<T>& count, const IntegerPack<T>& a, const IntegerPack<T>& b) {
#if SKPAR_LANES == 8
    // one instruction less than what the compiler makes of it
    const auto n = reinterpret_cast<__m512i>(count.v[0]), x = reinterpret_cast<__m512i>(a.v[0]),
               y = reinterpret_cast<__m512i>(b.v[0]), less_one = _mm512_set1_epi32(-1);
    __m512i more;
    if constexpr (sizeof(T) == 2) more = _mm512_mask_sub_epi16(n, _mm512_cmplt_epi16_mask(x, y), n, less_one);
    else more = _mm512_mask_sub_epi32(n, _mm512_cmplt_epi32_mask(x, y), n, less_one);
    IntegerPack<T> result;
    result.v[0] = reinterpret_cast<typename IntegerPack<T>::Native>(more);
    return result;
#else
    return IntegerPack<T>::each([](auto n, auto x, auto y) { return n - (x < y); }, count, a, b);
#endif
}

// Whether a < b in any lane.
template <class T>
inline bool any_less(const IntegerPack<T>& a, const IntegerPack<T>& b) {
#if SKPAR_LANES == 8
    const auto x = reinterpret_cast<__m512i>(a.v[0]), y = reinterpret_cast<__m512i>(b.v[0]);
    if constexpr (sizeof(T) == 2) return _mm512_cmplt_epi16_mask(x, y) != 0;
    else return _mm512_cmplt_epi32_mask(x, y) != 0;
#else
    typename IntegerPack<T>::Native less = a.v[0] < b.v[0];
    for (int i = 1; i < kVectors; ++i) less |= a.v[i] < b.v[i];
#if SKPAR_LANES == 4
    return _mm256_movemask_epi8(reinterpret_cast<__m256i>(less)) != 0;
#elif defined(__SSE2__)
    return _mm_movemask_epi8(reinterpret_cast<__m128i>(less)) != 0;
#else
    std::uint64_t words[kLanes], any = 0;
    std::memcpy(words, &less, sizeof words);
    for (const std::uint64_t word : words) any |= word;
    return any != 0;
#endif
#endif
}

// Eight partial sums in an order that never changes.
inline double sum_of(const double* sums) {
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// the number of set bits below the first clear one
inline int prefix_length(unsigned bits) { return __builtin_ctz(~bits); }

}  // namespace skpar::SKPAR_ISA
