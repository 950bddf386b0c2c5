// One row: its statistics, then its gradient. No Python, no threads.
#pragma once
#include "batch.hpp"
#include "simd.hpp"

namespace plogq {
namespace {

// Up to here the lanes of a vector hold as many rows, above it the classes of one row.
constexpr int64_t kFewClasses = 64;

// The half of the loss that must be read before the gradient overwrites the logits.
template <class In, class A>
void measure_gap(const Batch<In, A>& b, int64_t i) {
  if (b.target && !ignored(b, i))
    b.loss[i] = b.max[i] - A(b.logits[i * b.row_stride + b.target[i] * b.class_stride]);
}

template <class In, class A>
A row_scale(const Batch<In, A>& b, int64_t i) {
  return A(b.row_scale[i * b.row_scale_stride]);
}

// From p to p - 1 at the target, without the cancellation where the target is the argmax.
template <class In, class A>
A at_target(const Batch<In, A>& b, int64_t i, A scaled_p, A factor) {
  return b.target[i] == b.argmax[i] ? -b.rest[i] * factor : scaled_p - row_scale(b, i);
}

// An ignored row has no say: its state is that of an empty row.
template <class In, class A>
void clear_row(const Batch<In, A>& b, int64_t i) {
  b.max[i] = A(-kInfinity);
  b.rest[i] = 0;
  b.argmax[i] = -1;
  b.loss[i] = 0;
  if (b.entropy) b.entropy[i] = b.rest_squares[i] = 0;
  if (b.gradient)
    for (int64_t j = 0; j < b.classes; ++j)
      b.gradient[i * b.gradient_row_stride + j * b.gradient_class_stride] = 0;
}

// From gaps to losses, and from weighted gaps to entropies.
template <class In, class A>
void finish(const Batch<In, A>& b, int64_t begin, int64_t end) {
  if (b.has_ignore_index)
    for (int64_t i = begin; i < end; ++i)
      if (ignored(b, i)) clear_row(b, i);
  for (int64_t i = begin; i < end; i += kLanes<A>) {
    const int64_t n = end - i;
    const Vector<A> rest = load<A>(b.rest + i, n, A(0));
    const Vector<A> log_sum = log1p<A>(rest);
    if (b.target) store<A>(b.loss + i, load<A>(b.loss + i, n, A(0)) + log_sum, n);
    if (b.entropy)
      store<A>(b.entropy + i, load<A>(b.entropy + i, n, A(0)) / (rest + A(1)) + log_sum, n);
  }
}

// Sums over the classes other than the argmax, lane by lane.
template <class A>
struct Sums {
  Vector<A> rest{}, gap{}, squares{};

  template <bool moments>
  void add(Vector<A> e, Vector<A> x, Vector<A> m) {
    rest += e;
    if constexpr (moments) {
      gap += e > A(0) ? e * (m - x) : Vector<A>{};
      squares += e * e;
    }
  }
};

// ---- few classes: as many rows at once as a vector has lanes

template <bool moments, class In, class A>
void few_classes(const Batch<In, A>& b, int64_t begin, int64_t end) {
  constexpr int L = kLanes<A>;
  alignas(64) A tile[kFewClasses * L] = {};  // tile[j * L + r]: class j of row r
  for (int64_t i = begin; i < end; i += L) {
    const int n = end - i < L ? int(end - i) : L;
    const In* x = b.logits + i * b.row_stride;
    if (b.row_stride == 1 && n == L)
      for (int64_t j = 0; j < b.classes; ++j)
        store<A>(tile + j * L, load<A>(x + j * b.class_stride));
    else
      for (int r = 0; r < n; ++r)
        for (int64_t j = 0; j < b.classes; ++j)
          tile[j * L + r] = A(x[r * b.row_stride + j * b.class_stride]);

    Vector<A> m = splat(A(-kInfinity));
    Vector<IntOf<A>> argmax{};
    for (int64_t j = 0; j < b.classes; ++j) {
      const Vector<A> value = load<A>(tile + j * L);
      const auto above = value > m;
      m = above ? value : m;
      argmax = above ? splat(IntOf<A>(j)) : argmax;
    }
    Sums<A> sums;
    for (int64_t j = 0; j < b.classes; ++j) {
      const Vector<A> value = load<A>(tile + j * L);
      const Vector<A> e = exp_difference<A>(value, m);
      if (b.gradient) store<A>(tile + j * L, e);
      sums.template add<moments>(argmax == splat(IntOf<A>(j)) ? Vector<A>{} : e, value, m);
    }
    store<A>(b.max + i, m, n);
    store<A>(b.rest + i, sums.rest, n);
    if constexpr (moments) {
      store<A>(b.entropy + i, sums.gap, n);
      store<A>(b.rest_squares + i, sums.squares, n);
    }
    for (int r = 0; r < n; ++r) {
      b.argmax[i + r] = argmax[r];
      measure_gap(b, i + r);
    }
    if (!b.gradient) continue;

    A scales[L] = {}, factors[L];
    for (int r = 0; r < n; ++r) scales[r] = row_scale(b, i + r);
    const Vector<A> factor = load<A>(scales) / (sums.rest + A(1));
    store<A>(factors, factor);
    A* g = b.gradient + i * b.gradient_row_stride;
    if (b.gradient_row_stride == 1 && n == L) {
      for (int64_t j = 0; j < b.classes; ++j)
        store<A>(g + j * b.gradient_class_stride, load<A>(tile + j * L) * factor);
    } else {
      for (int64_t j = 0; j < b.classes; ++j)
        store<A>(tile + j * L, load<A>(tile + j * L) * factor);
      for (int r = 0; r < n; ++r)
        for (int64_t j = 0; j < b.classes; ++j)
          g[r * b.gradient_row_stride + j * b.gradient_class_stride] = tile[j * L + r];
    }
    for (int r = 0; r < n; ++r) {
      if (ignored(b, i + r)) continue;
      A& at = g[r * b.gradient_row_stride + b.target[i + r] * b.gradient_class_stride];
      at = at_target(b, i + r, at, factors[r]);
    }
  }
}

// ---- many classes: one row at a time

// Classes that are summed lane by lane before their sum joins the total of the row.
template <class A>
constexpr int64_t kRun = 64 * kLanes<A>;

// Keeps what each addition of a term >= 0 rounds away (Neumaier's sum).
struct Total {
  double sum = 0, lost = 0;

  void add(double term) {
    const double before = sum;
    sum += term;
    lost += before > term ? (before - sum) + term : (term - sum) + before;
  }
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
  // From the last vector to the first, so that in each lane the first place is what stays.
  Vector<IntOf<A>> first = splat(IntOf<A>(end - run));
  for (int64_t j = (end - run - 1) / L * L; j >= 0; j -= L) {
    const Vector<A> value = load<A>(x + run + j, end - run - j, lowest);
    first = value == splat(highest) ? lane_numbers<A>() + IntOf<A>(j) : first;
  }
  argmax = run + min<IntOf<A>>(first);
}

// The sums over the run [begin, end). `skip` is the argmax when it lies there; e may be null.
// While this row keeps the arithmetic busy, the next one is fetched.
template <bool moments, bool skips, class In, class A>
Sums<A> sum_run(const In* x, const In* next, A* e, int64_t begin, int64_t end, Vector<A> m,
                int64_t skip) {
  constexpr int L = kLanes<A>;
  const Vector<IntOf<A>> lanes = lane_numbers<A>();
  Sums<A> sums;
  for (int64_t j = begin; j < end; j += L) {
    __builtin_prefetch(next + j);
    const Vector<A> value = load<A>(x + j, end - j, A(-kInfinity));
    Vector<A> term = exp_difference<A>(value, m);
    if (e) store<A>(e + j, term, end - j);
    if constexpr (skips) term = lanes == splat(IntOf<A>(skip - j)) ? Vector<A>{} : term;
    sums.template add<moments>(term, value, m);
  }
  return sums;
}

// x and e are row i of the logits and of the gradient, one class beside the other. e may be x;
// it is null without a gradient. `next` is the row to fetch.
template <bool moments, class In, class A>
void one_row(const Batch<In, A>& b, int64_t i, const In* x, const In* next, A* e) {
  find_max(x, b.classes, b.max[i], b.argmax[i]);
  measure_gap(b, i);
  const Vector<A> m = splat(b.max[i]);
  Total rest, gap, squares;
  for (int64_t begin = 0; begin < b.classes; begin += kRun<A>) {
    const int64_t end = begin + kRun<A> < b.classes ? begin + kRun<A> : b.classes;
    const bool skips = begin <= b.argmax[i] && b.argmax[i] < end;
    const Sums<A> sums = skips ? sum_run<moments, true>(x, next, e, begin, end, m, b.argmax[i])
                               : sum_run<moments, false>(x, next, e, begin, end, m, 0);
    rest.add(sum<A>(sums.rest));
    if constexpr (moments) {
      gap.add(sum<A>(sums.gap));
      squares.add(sum<A>(sums.squares));
    }
  }
  b.rest[i] = A(rest.sum + rest.lost);
  if constexpr (moments) {
    b.entropy[i] = A(gap.sum + gap.lost);
    b.rest_squares[i] = A(squares.sum + squares.lost);
  }
  if (!e) return;
  const A factor = row_scale(b, i) / (A(1) + b.rest[i]);
  for (int64_t j = 0; j < b.classes; j += kLanes<A>)
    store<A>(e + j, load<A>(e + j, b.classes - j, A(0)) * factor, b.classes - j);
  e[b.target[i]] = at_target(b, i, e[b.target[i]], factor);
}

// Rows whose classes do not lie side by side pass through `scratch`, as many at a time as share a
// cache line.
template <bool moments, class In, class A>
void many_classes(const Batch<In, A>& b, int64_t begin, int64_t end, void* scratch) {
  const bool gathers = b.class_stride != 1;
  const bool scatters = b.gradient && b.gradient_class_stride != 1;
  In* const gathered = static_cast<In*>(scratch);
  A* const scattered = static_cast<A*>(scratch);
  for (int64_t i = begin; i < end; i += kRowsInScratch) {
    const int64_t n = end - i < kRowsInScratch ? end - i : kRowsInScratch;
    if (gathers)
      for (int64_t j = 0; j < b.classes; ++j)
        for (int64_t r = 0; r < n; ++r)
          gathered[r * b.classes + j] = b.logits[(i + r) * b.row_stride + j * b.class_stride];
    for (int64_t r = 0; r < n; ++r) {
      if (ignored(b, i + r)) continue;
      const In* x = gathers ? gathered + r * b.classes : b.logits + (i + r) * b.row_stride;
      A* e = scatters     ? scattered + r * b.classes
             : b.gradient ? b.gradient + (i + r) * b.gradient_row_stride
                          : nullptr;
      const In* next = gathers || i + r + 1 == end ? x : x + b.row_stride;
      one_row<moments>(b, i + r, x, next, e);
    }
    if (scatters)
      for (int64_t j = 0; j < b.classes; ++j)
        for (int64_t r = 0; r < n; ++r)
          b.gradient[(i + r) * b.gradient_row_stride + j * b.gradient_class_stride] =
              scattered[r * b.classes + j];
  }
}

}  // namespace
}  // namespace plogq
