// Rows of many classes: one at a time, a vector of classes after the other.
#pragma once
#include "rows.hpp"

namespace plogq {
namespace {

// Classes that are summed lane by lane before their sum joins the total of the row.
template <class A>
constexpr int64_t kRun = 64 * kLanes<A>;

// A sum of terms >= 0 that also keeps what each addition rounds away (Neumaier's sum).
struct Total {
  double sum = 0, lost = 0;

  void add(double term) {
    const double before = sum;
    sum += term;
    lost += before > term ? (before - sum) + term : (term - sum) + before;
  }

  double value() const { return sum - sum == 0 ? sum + lost : sum; }
};

template <class In, class A>
void find_max(const In* x, int64_t classes, A& highest, int64_t& argmax) {
  constexpr int L = kLanes<A>;
  constexpr A lowest = A(-kInfinity);
  highest = lowest;
  int64_t run = 0;  // the first run that has the maximum
  for (int64_t begin = 0; begin < classes; begin += kRun<A>) {
    const int64_t end = begin + kRun<A> < classes ? begin + kRun<A> : classes;
    Vector<A> m[4] = {splat(lowest), splat(lowest), splat(lowest), splat(lowest)};
    int64_t j = begin;
    for (; j + 4 * L <= end; j += 4 * L)
      for (int k = 0; k < 4; ++k) m[k] = max_of(load<A>(x + j + k * L), m[k]);
    for (; j < end; j += L) m[0] = max_of(load<A>(x + j, end - j, lowest), m[0]);
    const A highest_of_run = max<A>(max_of(max_of(m[0], m[1]), max_of(m[2], m[3])));
    if (highest_of_run > highest) {
      highest = highest_of_run;
      run = begin;
    }
  }
  const int64_t end = run + kRun<A> < classes ? run + kRun<A> : classes;
  // From the last vector to the first, so that the first position stays in each lane. (A row of
  // only NaN equals no maximum, and may have any position.)
  Vector<IntOf<A>> first = splat(IntOf<A>(end - run - 1));
  for (int64_t j = (end - run - 1) / L * L; j >= 0; j -= L) {
    const Vector<A> value = load<A>(x + run + j, end - run - j, lowest);
    first = value == splat(highest) ? lane_numbers<A>() + IntOf<A>(j) : first;
  }
  argmax = run + min<IntOf<A>>(first);
}

// One row, its classes side by side. `e` takes exp(-gap / t): it may be null, or x.
template <class In, class A>
struct Line {
  const In *x, *next = nullptr;
  A* e = nullptr;
  const A *weight, *soft = nullptr;  // null for ones, null where the target is a class

  Vector<A> w(int64_t j, int64_t n) const {
    return weight ? load<A>(weight + j, n, A(0)) : splat(A(1));
  }
  Vector<A> t(int64_t j, int64_t n) const {
    return soft ? load<A>(soft + j, n, A(0)) : Vector<A>{};
  }
};

// The sums over the run [begin, end). `top` is the argmax if it lies there. The next row is
// prefetched while this one is computed.
template <bool moments, bool has_top, Target target, class In, class A>
Sums<A> sum_run(Line<In, A> row, int64_t begin, int64_t end, Vector<A> max, int64_t top,
                Temperature<A> t) {
  const Vector<IntOf<A>> lanes = lane_numbers<A>();
  Sums<A> sums;
  for_each_vector<A>(begin, end, [&](int64_t j, auto n) {
    __builtin_prefetch(row.next + j);
    const Vector<A> value = load<A>(row.x + j, n, A(-kInfinity));
    const Vector<A> e = exp_difference<A>(value, max, t);
    Vector<IntOf<A>> is_top{};
    if constexpr (has_top) is_top = lanes == splat(IntOf<A>(top - j));
    sums.template add<moments, target>(value, max, e, is_top, row.w(j, n), row.t(j, n));
    if (row.e) store<A>(row.e + j, marked<target, A>(e, value), n);
  });
  return sums;
}

// Gives false if the target is no distribution. `to` receives the gradient, and is null for none;
// it may be e or x.
template <bool moments, Target target, class In, class A>
bool one_row(const Batch<In, A>& b, int64_t i, Line<In, A> row, In* to) {
  const Temperature<A> t(b.temperature);
  A highest;
  int64_t top, label = b.target ? b.target[i * b.target_stride] : -1;
  find_max(row.x, b.classes, highest, top);
  Found<A> found{.max = splat(highest), .target_is_top = splat(IntOf<A>(label == top ? -1 : 0))};
  if (b.target) {
    found.x_target = splat(to_number<A>(row.x[label]));
    found.w_target = splat(b.weight ? b.weight[label] : A(1));
  }
  found.w_top = splat(b.weight ? b.weight[top] : A(1));
  if (row.soft) found.t_top = splat(row.soft[top]);
  found.row_scale = splat(A(b.scale * weight_of_row(b, i)));

  Total totals[kSums];
  for (int64_t begin = 0; begin < b.classes; begin += kRun<A>) {
    const int64_t end = begin + kRun<A> < b.classes ? begin + kRun<A> : b.classes;
    const bool has_top = begin <= top && top < end;
    const Sums<A> sums = has_top
                             ? sum_run<moments, true, target>(row, begin, end, found.max, top, t)
                             : sum_run<moments, false, target>(row, begin, end, found.max, 0, t);
    for (int k = 0; k < kSums; ++k)
      if (wanted(k, moments, target)) totals[k].add(sum<A>(sums.of[k]));
    if (const A least = min<A>(sums.least_target); least < 0)
      found.sums.least_target = splat(least);
  }
  for (int k = 0; k < kSums; ++k)
    if (wanted(k, moments, target)) found.sums.of[k] = splat(A(totals[k].value()));
  const Answer<A> answer = settle<target>(b, found, t, 1);
  write(b, i, 1, found, answer);
  if (b.argmax) b.argmax[i] = top;
  const bool good =
      target != Target::kDistribution || b.tolerance < 0 || !refused(b, found.sums)[0];
  if (!to) return good;

  const Vector<A> a = splat(answer.a[0]), w_slope = splat(answer.b[0]),
                  t_slope = splat(answer.c[0]);
  Vector<A> at_label{};
  if (b.target)
    at_label = t_slope + gradient<target, A>(splat(row.e[label]), found.w_target, Vector<A>{}, a,
                                             w_slope, t_slope);
  for_each_vector<A>(0, b.classes, [&](int64_t j, auto n) {
    const Vector<A> e = load<A>(row.e + j, n, A(0));
    store<A>(to + j, gradient<target, A>(e, row.w(j, n), row.t(j, n), a, w_slope, t_slope), n);
  });
  if (b.target) to[label] = from_number<In>(at_label[0]);
  to[top] = from_number<In>(answer.top[0]);
  return good;
}

// Rows whose classes do not lie side by side are copied to scratch, as many at a time as share a
// cache line.
template <bool moments, Target target, class In, class A>
int64_t many_classes(const Batch<In, A>& b, int64_t begin, int64_t end, std::byte* scratch) {
  const bool gathers = b.class_stride != 1;
  const bool scatters = b.gradient && b.gradient_class_stride != 1;
  const bool has_soft_line = b.soft_type == type_of<A> && b.soft_class_stride == 1;
  A* const e = reinterpret_cast<A*>(scratch);
  A* const soft = e + b.classes;
  In* const gathered = reinterpret_cast<In*>(soft + b.classes);
  In* const slopes = gathered + kRowsInScratch * b.classes;
  int64_t bad = -1;
  for (int64_t i = begin; i < end; i += kRowsInScratch) {
    const int64_t n = end - i < kRowsInScratch ? end - i : kRowsInScratch;
    if (gathers)
      for (int64_t j = 0; j < b.classes; ++j)
        for (int64_t r = 0; r < n; ++r)
          gathered[r * b.classes + j] = b.logits[(i + r) * b.row_stride + j * b.class_stride];
    for (int64_t r = 0; r < n; ++r) {
      if (left_out(b, i + r)) continue;
      In* const to = scatters     ? slopes + r * b.classes
                     : b.gradient ? b.gradient + (i + r) * b.gradient_row_stride
                                  : nullptr;
      Line<In, A> row{.x = gathers ? gathered + r * b.classes : b.logits + (i + r) * b.row_stride,
                      .weight = b.weight};
      row.next = gathers || i + r + 1 == end ? row.x : row.x + b.row_stride;
      if constexpr (std::is_same_v<In, A>)
        row.e = to;
      else
        row.e = to ? e : nullptr;
      if constexpr (target == Target::kDistribution) {
        if (has_soft_line) {
          row.soft = static_cast<const A*>(b.soft) + (i + r) * b.soft_row_stride;
        } else {
          copy_target(b, i + r, soft, 1);
          row.soft = soft;
        }
      }
      if (!one_row<moments, target>(b, i + r, row, to) && bad < 0) bad = i + r;
    }
    if (scatters)
      for (int64_t j = 0; j < b.classes; ++j)
        for (int64_t r = 0; r < n; ++r)
          b.gradient[(i + r) * b.gradient_row_stride + j * b.gradient_class_stride] =
              slopes[r * b.classes + j];
    for (int64_t r = 0; r < n; ++r)
      if (left_out(b, i + r)) clear_row(b, i + r);
  }
  return bad;
}

}  // namespace
}  // namespace plogq
