// Vectors of the instruction set that this file is compiled for, with exp and log1p on them.
// Everything is in an anonymous namespace: each instruction set has its own copy, and the linker
// cannot give one processor the code of another.
#pragma once
#include <cstdint>
#include <cstring>

#include "intrinsics.hpp"

namespace plogq {
namespace {

#if defined(PLOGQ_VECTOR_BYTES)  // benchmarks/neon.py tries others
constexpr int kVectorBytes = PLOGQ_VECTOR_BYTES;
#elif defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

constexpr double kInfinity = __builtin_inf();
constexpr double kLog2E = 1.4426950408889634074;

// Ln2 = high + low with a product n * high that is exact, and the series of log: the constants of
// FreeBSD msun, e_logf.c and e_log.c. exp is its Taylor series, cut where the remainder
// on |r| <= ln2 / 2 is below a tenth of an ulp. Below `underflow` exp rounds to zero.
template <class A>
struct Arithmetic;

template <>
struct Arithmetic<float> {
  using Int = int32_t;
  using Unsigned = uint32_t;
  static constexpr int mantissa_bits = 23;
  static constexpr Int bias = 127;
  static constexpr Int sqrt_half = 0x3f3504f3;  // the bits of sqrt(1/2)
  static constexpr float rounder = 0x1.8p23f;  // x + rounder: the nearest integer in the low bits
  static constexpr float underflow = -103.98f;
  static constexpr float ln2_high = 6.9313812256e-01f, ln2_low = 9.0580006145e-06f;
  static constexpr float taylor[] = {1.f,      1.f,       1.f / 2,   1.f / 6,
                                     1.f / 24, 1.f / 120, 1.f / 720, 1.f / 5040};
  static constexpr float log_series[] = {0.66666662693f, 0.40000972152f, 0.28498786688f,
                                         0.24279078841f};
};

template <>
struct Arithmetic<double> {
  using Int = int64_t;
  using Unsigned = uint64_t;
  static constexpr int mantissa_bits = 52;
  static constexpr Int bias = 1023;
  static constexpr Int sqrt_half = 0x3fe6a09e667f3bcd;
  static constexpr double rounder = 0x1.8p52;
  static constexpr double underflow = -745.14;
  static constexpr double ln2_high = 6.93147180369123816490e-01,
                          ln2_low = 1.90821492927058770002e-10;
  static constexpr double taylor[] = {
      1.,         1.,          1. / 2,       1. / 6,        1. / 24,        1. / 120,
      1. / 720,   1. / 5040,   1. / 40320,   1. / 362880,   1. / 3628800,   1. / 39916800,
      1. / 479001600, 1. / 6227020800};
  static constexpr double log_series[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
                                          2.857142874366239149e-01, 2.222219843214978396e-01,
                                          1.818357216161805012e-01, 1.531383769920937332e-01,
                                          1.479819860511658591e-01};
};

template <class A>
using IntOf = typename Arithmetic<A>::Int;
template <class A>
constexpr int kLanes = kVectorBytes / sizeof(A);

template <class A>
struct VectorOf {
  typedef A type __attribute__((vector_size(kVectorBytes)));
};
template <class A>
using Vector = typename VectorOf<A>::type;

template <class To, class From>
inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

template <class A>
inline Vector<A> splat(A value) {
  return value - Vector<A>{};  // + would lose the sign of -0
}

// weight * value with 0 * inf = 0: what never happens costs nothing. But 0 * NaN is NaN, so that it
// shows in the loss as it does in the gradient.
template <class A>
inline Vector<A> times(Vector<A> weight, Vector<A> value) {
  return ((weight == A(0)) & (value == value)) ? Vector<A>{} : weight * value;
}

// 0, 1, 2, ...
template <class A>
inline Vector<IntOf<A>> lane_numbers() {
  Vector<IntOf<A>> lanes;
  for (int l = 0; l < kLanes<A>; ++l) lanes[l] = l;
  return lanes;
}

template <class V>
inline V max_of(V a, V b) {
  return a > b ? a : b;
}

// Folds the lanes of v in halves: fold(fold(low half, high half)...).
template <class A, int lanes = kLanes<A>, class V, class Fold>
inline A reduce(V v, Fold fold) {
  if constexpr (lanes == 1) {
    return bit_cast<A>(v);
  } else {
    typedef A Half __attribute__((vector_size(lanes / 2 * sizeof(A))));
    Half halves[2];
    memcpy(halves, &v, sizeof v);
    return reduce<A, lanes / 2>(fold(halves[0], halves[1]), fold);
  }
}

template <class A>
inline A sum(Vector<A> v) {
  return reduce<A>(v, [](auto a, auto b) { return a + b; });
}

template <class A>
inline A max(Vector<A> v) {
  return reduce<A>(v, [](auto a, auto b) { return a > b ? a : b; });
}

template <class A>
inline A min(Vector<A> v) {
  return reduce<A>(v, [](auto a, auto b) { return a < b ? a : b; });
}

// Whether a comparison of doubles holds in any lane.
inline bool any(Vector<int64_t> mask) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask(bit_cast<__m512i>(mask), bit_cast<__m512i>(mask)) != 0;
#else
  return reduce<int64_t>(mask, [](auto a, auto b) { return a | b; }) != 0;
#endif
}

// a * 2^n for whole n, also below the exponents of normal numbers.
template <class A>
inline Vector<A> scale(Vector<A> a, Vector<A> n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(A) == sizeof(float))
    return bit_cast<Vector<A>>(_mm512_scalef_ps(bit_cast<__m512>(a), bit_cast<__m512>(n)));
  else
    return bit_cast<Vector<A>>(_mm512_scalef_pd(bit_cast<__m512d>(a), bit_cast<__m512d>(n)));
#else
  using Constants = Arithmetic<A>;
  using Int = IntOf<A>;
  using Unsigned = typename Constants::Unsigned;  // lanes whose result is not used may wrap around
  const Vector<Int> power =
      bit_cast<Vector<Int>>(bit_cast<Vector<Unsigned>>(n + Constants::rounder) -
                            bit_cast<Unsigned>(Constants::rounder));
  const Vector<Int> half = power >> 1;
  a *= bit_cast<Vector<A>>((half + Constants::bias) << Constants::mantissa_bits);
  return a * bit_cast<Vector<A>>((power - half + Constants::bias) << Constants::mantissa_bits);
#endif
}

// The constants of exp(d / t) for a temperature t: t ln2 = high + low, where products n * high are
// exact, so that the range of d is reduced before the division can round.
template <class A>
struct Temperature {
  A inverse, log2e, ln2_high, ln2_low, underflow;

  explicit Temperature(double t) {
    constexpr double ln2 = 0x1.62e42fefa39efp-1, beyond = 0x1.abc9e3b39803fp-56;
    using Constants = Arithmetic<A>;
    using Int = IntOf<A>;
    const double product = t * ln2;
    constexpr Int bits_of_n = sizeof(A) == sizeof(float) ? 8 : 21;
    ln2_high = bit_cast<A>(bit_cast<Int>(A(product)) >> bits_of_n << bits_of_n);
    ln2_low = A((product - ln2_high) + (__builtin_fma(t, ln2, -product) + t * beyond));
    inverse = A(1 / t);
    log2e = A(kLog2E / t);
    underflow = A(Constants::underflow * t);
  }
};

// exp(r) for |r| <= ln2 / 2.
template <class A>
inline Vector<A> exp_reduced(Vector<A> r) {
  using Constants = Arithmetic<A>;
  constexpr int degree = sizeof(Constants::taylor) / sizeof(A) - 1;
  Vector<A> e = splat(Constants::taylor[degree]);
#pragma GCC unroll 16
  for (int k = degree - 1; k >= 0; --k) e = e * r + Constants::taylor[k];
  return e;
}

// exp((d + error) / t) for d <= 0 and the rounding error of d; 0 if d is -inf, NaN if d is NaN.
template <class A>
inline Vector<A> exp_of(Vector<A> d, Vector<A> error, Temperature<A> t) {
  using Constants = Arithmetic<A>;
  const Vector<A> shifted = d * t.log2e + Constants::rounder;
  const Vector<A> n = shifted - Constants::rounder;
  const Vector<A> r = (((d - n * t.ln2_high) - n * t.ln2_low) + error) * t.inverse;
  return d < t.underflow ? Vector<A>{} : scale<A>(exp_reduced<A>(r), n);
}

// exp((x - m) / t) for x <= m, to about one ulp of the exact difference: the rounding error of
// x - m, which at a gap of 80 would cost 40 ulp, is carried along (Knuth's two-sum).
template <class A>
inline Vector<A> exp_difference(Vector<A> x, Vector<A> m, Temperature<A> t) {
  const Vector<A> d = x - m;
  const Vector<A> back = d - x;
  return exp_of<A>(d, (x - (d - back)) - (m + back), t);
}

// log(1 + x) for x >= 0, to about one ulp of the result however small x is (msun, s_log1p.c).
template <class A>
inline Vector<A> log1p(Vector<A> x) {
  using Constants = Arithmetic<A>;
  using Int = IntOf<A>;
  const Vector<A> u = x + A(1);
  const Vector<Int> bits = bit_cast<Vector<Int>>(u) - Constants::sqrt_half;
  const Vector<Int> exponent = bits >> Constants::mantissa_bits;
  const Int mantissa = (Int(1) << Constants::mantissa_bits) - 1;
  const Vector<A> reduced = bit_cast<Vector<A>>((bits & mantissa) + Constants::sqrt_half) - A(1);
  const auto small = exponent == 0;
  const Vector<A> f = small ? x : reduced;
  const Vector<A> lost = small ? Vector<A>{} : (x - (u - A(1))) / u;
  const Vector<A> n = __builtin_convertvector(exponent, Vector<A>);
  const Vector<A> s = f / (f + A(2));
  const Vector<A> z = s * s;
  constexpr int terms = sizeof(Constants::log_series) / sizeof(A);
  Vector<A> series = splat(Constants::log_series[terms - 1]);
#pragma GCC unroll 16
  for (int k = terms - 2; k >= 0; --k) series = series * z + Constants::log_series[k];
  const Vector<A> half_square = A(0.5) * f * f;
  return s * (half_square + series * z) + (n * Constants::ln2_low + lost) - half_square + f +
         n * Constants::ln2_high;
}

}  // namespace
}  // namespace plogq
