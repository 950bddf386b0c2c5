// Loads and stores of vectors, from and to any type of logits.
#pragma once
#include <type_traits>

#include "batch.hpp"
#include "intrinsics.hpp"
#include "simd.hpp"

namespace plogq {
namespace {

// The bits of float32 from those of the half precisions and back, rounded to nearest even, on
// unsigned integers or vectors of them. A multiplication by 2^112 moves the exponent of a float16,
// and makes its subnormal numbers normal (F. Giesen, float-to-half).
template <class F, class U>
inline F widen(BFloat16, U half) {
  return bit_cast<F>(half << 16);
}
template <class F, class U>
inline F widen(Float16, U half) {
  const U bits = bit_cast<U>(bit_cast<F>((half & 0x7fff) << 13) * 0x1p112f);
  const U number = (half & 0x7c00) == 0x7c00 ? bits | 0x7f800000 : bits;
  return bit_cast<F>(number | (half & 0x8000) << 16);
}

template <class F, class U>
inline U narrow(BFloat16, F value) {
  const U bits = bit_cast<U>(value);
  const U rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return (bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : rounded;
}
template <class F, class U>
inline U narrow(Float16, F value) {
  const U bits = bit_cast<U>(value);
  const U size = bits & 0x7fffffff;
  const U subnormal = bit_cast<U>(bit_cast<F>(size) + 0.5f) - 0x3f000000;
  const U normal = (size + 0xc8000fff + ((size >> 13) & 1)) >> 13;
  const U finite = size < 0x38800000 ? subnormal : normal;
  const U number = size < 0x47800000 ? finite : U{} + 0x7c00;
  return (size > 0x7f800000 ? U{} + 0x7e00 : number) | ((bits >> 16) & 0x8000);
}

template <class In>
constexpr bool is_half = !std::is_arithmetic_v<In>;

template <class A, class In>
inline A to_number(In value) {
  if constexpr (is_half<In>)
    return widen<float>(In{}, uint32_t(value.bits));
  else
    return A(value);
}

template <class In, class A>
inline In from_number(A value) {
  if constexpr (is_half<In>)
    return In{uint16_t(narrow<float, uint32_t>(In{}, value))};
  else
    return In(value);
}

template <class T, int lanes>
struct Narrow {
  typedef T type __attribute__((vector_size(lanes * sizeof(T))));
};
using Words = Narrow<uint32_t, kLanes<float>>::type;

template <class A, class In>
inline Vector<A> load(const In* p) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<In, Float16>)
    return bit_cast<Vector<float>>(_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)));
  // GCC takes two halves of a vector apart to widen them.
  if constexpr (std::is_same_v<In, float> && std::is_same_v<A, double>)
    return bit_cast<Vector<double>>(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#elif defined(__F16C__)
  if constexpr (std::is_same_v<In, Float16>)
    return bit_cast<Vector<float>>(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)));
#endif
  using Element = std::conditional_t<is_half<In>, uint16_t, In>;
  typename Narrow<Element, kLanes<A>>::type v;
  memcpy(&v, p, sizeof v);
  if constexpr (is_half<In>)
    return widen<Vector<float>>(In{}, __builtin_convertvector(v, Words));
  else
    return __builtin_convertvector(v, Vector<A>);
}

template <class A, class Out>
inline void store(Out* p, Vector<A> v) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<Out, Float16>) {
    const __m512 floats = bit_cast<__m512>(v);
    return _mm256_storeu_si256((__m256i*)p, _mm512_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT));
  }
#elif defined(__F16C__)
  if constexpr (std::is_same_v<Out, Float16>) {
    const __m256 floats = bit_cast<__m256>(v);
    return _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT));
  }
#endif
  if constexpr (is_half<Out>) {
    const Words words = narrow<Vector<float>, Words>(Out{}, v);
    const auto halves = __builtin_convertvector(words, typename Narrow<uint16_t, kLanes<A>>::type);
    memcpy(p, &halves, sizeof halves);
  } else {
    const auto numbers = __builtin_convertvector(v, typename Narrow<Out, kLanes<A>>::type);
    memcpy(p, &numbers, sizeof numbers);
  }
}

// Loads the first n elements of a vector; the other lanes get `rest`.
template <class A, class In>
inline Vector<A> load(const In* p, int64_t n, A rest) {
  if (n >= kLanes<A>) return load<A>(p);
  In padded[kLanes<A>];
  for (In& lane : padded) lane = from_number<In>(rest);
  memcpy(padded, p, n * sizeof(In));
  return load<A>(padded);
}

template <class A, class Out>
inline void store(Out* p, Vector<A> v, int64_t n) {
  if (n >= kLanes<A>) return store<A>(p, v);
  Out padded[kLanes<A>];
  store<A>(padded, v);
  memcpy(p, padded, n * sizeof(Out));
}

// Does the same for integers, of which a vector has as many as doubles.
inline Vector<int64_t> load_integers(const int64_t* p, int64_t n = kLanes<double>) {
  int64_t padded[kLanes<double>] = {};
  const int64_t* const from = n < kLanes<double> ? padded : p;
  if (n < kLanes<double>) memcpy(padded, p, n * sizeof(int64_t));
  Vector<int64_t> v;
  memcpy(&v, from, sizeof v);
  return v;
}

inline void store_integers(int64_t* p, Vector<int64_t> v, int64_t n = kLanes<double>) {
  if (n >= kLanes<double>) {
    memcpy(p, &v, sizeof v);
  } else {
    for (int64_t l = 0; l < n; ++l) p[l] = v[l];
  }
}

// Calls step(j, n) for the vectors of [begin, end). n is a constant except for the last vector; that
// step calls functions, which inside the loop would cost the sums their registers.
template <class A, class Step>
inline void for_each_vector(int64_t begin, int64_t end, const Step& step) {
  constexpr std::integral_constant<int64_t, kLanes<A>> whole;
  for (; begin + whole <= end; begin += whole) step(begin, whole);
  if (begin < end) step(begin, end - begin);
}

}  // namespace
}  // namespace plogq
