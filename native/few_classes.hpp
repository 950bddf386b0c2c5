// Rows of few classes: as many at once as a vector has lanes.
#pragma once
#include "rows.hpp"

namespace plogq {
namespace {

// With at most so many classes the lanes of a vector are rows; with more they are classes of a row.
constexpr int64_t kFewClasses = 64;
static_assert(kFewClasses >= kMostClassesToFold);

template <bool moments, Target target, class In, class A>
int64_t few_classes(const Batch<In, A>& b, int64_t begin, int64_t end) {
  using Lanes = Vector<IntOf<A>>;
  constexpr int L = kLanes<A>;
  const Temperature<A> t(b.temperature);
  constexpr bool soft = target == Target::kDistribution;
  alignas(64) A tile[kFewClasses * L] = {};  // tile[j * L + r]: class j of row r
  alignas(64) A soft_tile[soft ? kFewClasses * L : 1];
  const auto soft_of = [&](int64_t j) { return soft ? load<A>(soft_tile + j * L) : Vector<A>{}; };
  const auto weight_of = [&](int64_t j) { return splat(b.weight ? b.weight[j] : A(1)); };
  int64_t bad = -1;
  for (int64_t i = begin; i < end; i += L) {
    const int n = end - i < L ? int(end - i) : L;
    const In* x = b.logits + i * b.row_stride;
    if (b.row_stride == 1 && n == L)
      for (int64_t j = 0; j < b.classes; ++j)
        store<A>(tile + j * L, load<A>(x + j * b.class_stride));
    else
      for (int r = 0; r < n; ++r)
        copy_row(x + r * b.row_stride, b.class_stride, b.classes, tile + r, L);
    if constexpr (soft)
      for (int r = 0; r < n; ++r) copy_target(b, i + r, soft_tile + r, L);

    Found<A> found{.max = splat(A(-kInfinity))};
    Lanes argmax{}, label = splat<IntOf<A>>(-1);
    for (int64_t j = 0; j < b.classes; ++j) {
      const Vector<A> value = load<A>(tile + j * L);
      const auto above = value > found.max;
      found.max = above ? value : found.max;
      argmax = above ? splat(IntOf<A>(j)) : argmax;
    }
    for (int r = 0; r < n; ++r) {
      found.row_scale[r] = A(b.scale * weight_of_row(b, i + r));
      if (b.target && !left_out(b, i + r)) {
        label[r] = IntOf<A>(b.target[(i + r) * b.target_stride]);
        found.x_target[r] = tile[label[r] * L + r];
        found.w_target[r] = b.weight ? b.weight[label[r]] : A(1);
      }
      if constexpr (target != Target::kClass)
        found.w_top[r] = b.weight ? b.weight[argmax[r]] : A(1);
      if constexpr (soft) found.t_top[r] = soft_tile[argmax[r] * L + r];
    }
    found.target_is_top = label == argmax;
    for (int64_t j = 0; j < b.classes; ++j) {
      const Vector<A> value = load<A>(tile + j * L);
      const Vector<A> e = exp_difference<A>(value, found.max, t);
      found.sums.template add<moments, target>(value, found.max, e, argmax == splat(IntOf<A>(j)),
                                               weight_of(j), soft_of(j));
      if (b.gradient) store<A>(tile + j * L, marked<target, A>(e, value));
    }
    const Answer<A> answer = settle<target>(b, found, t, n);
    write(b, i, n, found, answer);
    for (int r = 0; b.argmax && r < n; ++r) b.argmax[i + r] = argmax[r];
    if (soft && b.tolerance >= 0) {
      const Lanes at_fault = refused(b, found.sums);
      for (int r = 0; r < n && bad < 0; ++r)
        if (at_fault[r] && !left_out(b, i + r)) bad = i + r;
    }

    if (b.gradient) {
      In* g = b.gradient + i * b.gradient_row_stride;
      for (int64_t j = 0; j < b.classes; ++j) {
        const Lanes here = splat(IntOf<A>(j));
        Vector<A> slope = gradient<target, A>(load<A>(tile + j * L), weight_of(j), soft_of(j),
                                              answer.a, answer.b, answer.c);
        if constexpr (!soft) slope += label == here ? answer.c : Vector<A>{};
        slope = argmax == here ? answer.top : slope;
        if (b.gradient_row_stride == 1 && n == L)
          store<A>(g + j * b.gradient_class_stride, slope);
        else
          store<A>(tile + j * L, slope);
      }
      if (b.gradient_row_stride != 1 || n != L)
        for (int r = 0; r < n; ++r)
          for (int64_t j = 0; j < b.classes; ++j)
            g[r * b.gradient_row_stride + j * b.gradient_class_stride] =
                from_number<In>(tile[j * L + r]);
    }
    for (int r = 0; r < n; ++r)
      if (left_out(b, i + r)) clear_row(b, i + r);
  }
  return bad;
}

}  // namespace
}  // namespace plogq
