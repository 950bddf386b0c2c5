// What the code for few classes and for many classes shares. No Python, no threads.
#pragma once
#include "row.hpp"

namespace plogq {
namespace {

// Gives a row that is left out the state of an empty row, and the gradient 0.
template <class In, class A>
void clear_row(const Batch<In, A>& b, int64_t i) {
  if (b.max) b.max[i] = A(-kInfinity);
  if (b.rest) b.rest[i] = 0;
  if (b.argmax) b.argmax[i] = -1;
  b.loss[i] = 0;
  if (b.entropy) b.entropy[i] = b.rest_squares[i] = 0;
  if (b.gradient)
    for (int64_t j = 0; j < b.classes; ++j)
      b.gradient[i * b.gradient_row_stride + j * b.gradient_class_stride] = In{};
}

template <class In, class A>
void write(const Batch<In, A>& b, int64_t i, int n, const Found<A>& found,
           const Answer<A>& answer) {
  store<A>(b.loss + i, answer.loss, n);
  if (b.max) store<A>(b.max + i, found.max / A(b.temperature), n);
  if (b.rest) store<A>(b.rest + i, answer.rest, n);
  if (!b.entropy) return;
  store<A>(b.entropy + i, answer.entropy, n);
  store<A>(b.rest_squares + i, found.sums.of[kSquares], n);
}

// Gives a mask of the lanes whose target is no distribution.
template <class In, class A>
Vector<IntOf<A>> refused(const Batch<In, A>& b, const Sums<A>& sums) {
  const Vector<A> off = sums.of[kTargetTotal] - A(1);
  const A tolerance = A(b.tolerance);
  return ~((sums.least_target >= A(0)) & (off <= tolerance) & (off >= -tolerance));
}

template <class A, class T>
void copy_row(const T* from, int64_t stride, int64_t classes, A* to, int64_t to_stride) {
  for (int64_t j = 0; j < classes; ++j) to[j * to_stride] = to_number<A>(from[j * stride]);
}

// Copies the distribution of row i, in the type of the arithmetic.
template <class In, class A>
void copy_target(const Batch<In, A>& b, int64_t i, A* to, int64_t to_stride) {
  const auto from = [&](auto* p) {
    copy_row(p + i * b.soft_row_stride, b.soft_class_stride, b.classes, to, to_stride);
  };
  switch (b.soft_type) {
    case Type::kFloat:
      return from(static_cast<const float*>(b.soft));
    case Type::kDouble:
      return from(static_cast<const double*>(b.soft));
    case Type::kBFloat16:
      return from(static_cast<const BFloat16*>(b.soft));
    case Type::kFloat16:
      return from(static_cast<const Float16*>(b.soft));
  }
}

}  // namespace
}  // namespace plogq
