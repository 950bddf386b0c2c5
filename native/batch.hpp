// A batch of rows or of elements, and who can work on it. Plain data: every instruction set sees
// this file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plogq {

struct BFloat16 {
  std::uint16_t bits;
};
struct Float16 {
  std::uint16_t bits;
};
enum class Type { kFloat, kDouble, kBFloat16, kFloat16 };
template <class T>
constexpr Type type_of = Type::kFloat;
template <>
inline constexpr Type type_of<double> = Type::kDouble;

// Logits of type In, arithmetic and results of type A. Strides count elements.
//
// With z = x / temperature, p = softmax(z), lse = log sum exp z and e = label_smoothing, a row
// costs
//   sum_j w_j ((1 - e) t_j + e / K) (1 - p_j)^gamma (-log p_j) + z_loss lse^2
// over its K classes that are not masked by a logit of -inf.
template <class In, class A>
struct Batch {
  const In* logits;
  std::ptrdiff_t row_stride, class_stride;
  std::int64_t rows, classes;

  // t_j = [j = target], or distributions; null both when only the statistics are asked for.
  const std::int64_t* target;
  std::ptrdiff_t target_stride;
  const void* soft;
  Type soft_type;
  std::ptrdiff_t soft_row_stride, soft_class_stride;
  double tolerance;  // of the sum of a distribution; below 0 anything goes

  const A* weight;   // w, by class; null for ones
  const bool* keep;  // null where all rows count
  bool has_ignore_index;
  std::int64_t ignore_index;
  double temperature, label_smoothing, gamma, z_loss;  // gamma only without smoothing and soft

  // The state of a row: max z, and the sum of exp(z - max) over every class but the argmax.
  A *max, *rest;
  std::int64_t* argmax;
  A* loss;
  A *entropy, *rest_squares;  // null when not asked for

  In* gradient;  // null when not asked for; may be the logits themselves
  std::ptrdiff_t gradient_row_stride, gradient_class_stride;
  const double* row_scale;
  std::ptrdiff_t row_scale_stride;
  bool check_logits;
};

// Cross-entropy of sigmoids: element i has the weight weight[i % period] for its positive part.
template <class In, class A>
struct Elements {
  const In *logits, *target;
  std::int64_t size;
  const A* weight;  // period + kLongestVector of them
  std::int64_t period;
  double scale;
  A* losses;     // null when not asked for
  In* gradient;  // null when not asked for; may be the logits themselves
  bool validate;
};

namespace {  // each instruction set keeps its own copy
template <class In, class A>
bool left_out(const Batch<In, A>& b, std::int64_t i) {
  return (b.has_ignore_index && b.target[i * b.target_stride] == b.ignore_index) ||
         (b.keep && !b.keep[i]);
}
}  // namespace

constexpr std::int64_t kRowsInScratch = 16;
constexpr std::int64_t kLongestVector = 16;

// Works on the rows [begin, end), and gives the first whose distribution is none, or -1.
template <class In, class A>
using Rows = std::int64_t (*)(const Batch<In, A>&, std::int64_t begin, std::int64_t end,
                              std::byte* scratch);

// Bytes of scratch that a thread needs.
template <class In, class A>
std::size_t scratch_bytes(const Batch<In, A>& b) {
  return b.classes * (2 * kRowsInScratch * sizeof(In) + 2 * sizeof(A));
}

struct ElementsFound {
  double loss = 0;               // their sum
  std::int64_t bad_target = -1;  // the first outside [0, 1]
};
template <class In, class A>
using ElementsOf = ElementsFound (*)(const Elements<In, A>&, std::int64_t begin, std::int64_t end);

// rows.cpp, as compiled for one instruction set.
template <class In, class A>
struct Kernels {
  Rows<In, A> rows;
  ElementsOf<In, A> elements;
};
struct InstructionSet {
  const char* name;
  Kernels<float, float> floats;
  Kernels<float, double> widening;
  Kernels<double, double> doubles;
  Kernels<BFloat16, float> bfloat16s;
  Kernels<Float16, float> float16s;

  template <class In, class A>
  const Kernels<In, A>& of() const;
};

// The first rows at fault, or -1.
struct Faults {
  std::int64_t target = -1;  // no class and not the ignore_index, or no distribution
  std::int64_t logits = -1;  // NaN, +inf, or -inf throughout
};

std::vector<const InstructionSet*> instruction_sets();  // that this processor has, the best last

template <class In, class A>
Faults run(const Batch<In, A>&, std::int64_t threads, const InstructionSet&);

template <class In, class A>
ElementsFound run(const Elements<In, A>&, std::int64_t threads, const InstructionSet&);

}  // namespace plogq
