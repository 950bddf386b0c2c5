// A batch of rows, and who can work on it. Plain data: every instruction set sees this file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plogq {

// Logits of type In, arithmetic and results of type A. Strides count elements.
template <class In, class A>
struct Batch {
  const In* logits;
  std::ptrdiff_t row_stride, class_stride;
  std::int64_t rows, classes;

  const std::int64_t* target;  // null when there is none
  bool has_ignore_index;
  std::int64_t ignore_index;

  // The state of a row: its max, and the sum of exp(x - max) over every class but the argmax.
  A *max, *rest;
  std::int64_t* argmax;
  A* loss;
  A *entropy, *rest_squares;  // null when not asked for

  A* gradient;  // null when not asked for; may be the logits themselves
  std::ptrdiff_t gradient_row_stride, gradient_class_stride;
  const double* row_scale;
  std::ptrdiff_t row_scale_stride;
};

namespace {  // each instruction set keeps its own copy
template <class In, class A>
bool ignored(const Batch<In, A>& b, std::int64_t i) {
  return b.has_ignore_index && b.target[i] == b.ignore_index;
}
}  // namespace

constexpr std::int64_t kRowsInScratch = 16;

// Works on the rows [begin, end); `scratch` is needed where a class stride is not 1.
template <class In, class A>
using Rows = void (*)(const Batch<In, A>&, std::int64_t begin, std::int64_t end, void* scratch);

// rows.cpp, as compiled for one instruction set.
struct InstructionSet {
  const char* name;
  Rows<float, float> float_rows;
  Rows<float, double> widening_rows;
  Rows<double, double> double_rows;
};

// The first rows at fault, or -1.
struct Faults {
  std::int64_t target = -1;  // no class, and not the ignore_index: nothing was computed
  std::int64_t logits = -1;  // NaN, +inf, or -inf throughout
};

std::vector<const InstructionSet*> instruction_sets();  // that this processor has, the best last

template <class In, class A>
Faults run(const Batch<In, A>&, std::int64_t threads, const InstructionSet&);

}  // namespace plogq
