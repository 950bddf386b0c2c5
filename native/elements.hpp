// Cross-entropy of sigmoids, element by element. No Python, no threads.
#pragma once
#include "memory.hpp"

namespace plogq {
namespace {

// Computes w t softplus(-z) + (1 - t) softplus(z) and its gradient (1 - t) s(z) - w t s(-z) from
// exp(-|z|); both are times the weight of the element.
template <class In, class A>
ElementsFound elements(const Elements<In, A>& b, int64_t begin, int64_t end) {
  constexpr int L = kLanes<A>;
  constexpr int64_t run = 64 * L;  // summed lane by lane before it joins the total
  const Vector<A> zero{}, one = splat(A(1));
  const Temperature<A> t1(1);
  const A scale = A(b.scale);
  const auto lanes = lane_numbers<A>();
  ElementsFound found;
  Vector<IntOf<A>> good = zero == zero;
  int64_t phase = begin % b.period;
  for (int64_t start = begin; start < end; start += run) {
    const int64_t stop = start + run < end ? start + run : end;
    Vector<A> sums{};
    for_each_vector<A>(start, stop, [&](int64_t i, auto n) {
      const Vector<A> z = load<A>(b.logits + i, n, A(0)), t = load<A>(b.target + i, n, A(0));
      const Vector<A> yes = load<A>(b.weight + phase) * t, no = one - t;
      const auto positive = z >= A(0);
      const Vector<A> e = exp_of<A>(positive ? -z : z, zero, t1);
      const Vector<A> rest = log1p<A>(e);
      const Vector<A> cost_yes = (positive ? zero : -z) + rest,
                      cost_no = (positive ? z : zero) + rest;
      Vector<A> loss = times<A>(yes, cost_yes) + times<A>(no, cost_no);
      Vector<A> slope_scale = splat(scale);
      if (b.element_weight) {
        const Vector<A> weight = load<A>(b.element_weight + i, n, A(0));
        loss = times<A>(weight, loss);
        slope_scale *= weight;
      }
      sums += lanes < splat(IntOf<A>(n)) ? loss : zero;
      good &= (t >= A(0)) & (t <= A(1));
      if (b.losses) store<A>(b.losses + i, loss, n);
      if (b.gradient) {
        const Vector<A> large = one / (one + e), small = e * large;
        store<A>(b.gradient + i,
                 slope_scale * (no * (positive ? large : small) - yes * (positive ? small : large)),
                 n);
      }
      phase += L;
      if (phase >= b.period) phase -= b.period;
    });
    found.loss += sum<A>(sums);
  }
  const bool refused = b.validate && min<IntOf<A>>(-good) == 0;
  for (int64_t i = begin; refused && found.bad_target < 0; ++i) {
    const A t = to_number<A>(b.target[i]);
    if (!(t >= 0 && t <= 1)) found.bad_target = i;
  }
  return found;
}

}  // namespace
}  // namespace plogq
