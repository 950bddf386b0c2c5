// The mathematics of a row: sums over its classes, and from these its loss and its gradient
//   g_j = a p_j + b w_j + c [j = target]     (c w_j t_j for a distribution t).
// The lanes of a vector are rows, or classes of one row.
#pragma once
#include <cmath>

#include "memory.hpp"

namespace plogq {
namespace {

// The kind of a row's target; a distribution may be smoothed, too.
enum class Target { kClass, kSmoothedClass, kDistribution };

// Sums over the classes. Those marked "beside" leave out the argmax; in sums of gaps it adds 0.
// Gaps are max x - x_j; open classes are those that are not masked.
enum Sum {
  kRest,         // exp(-gap / t), beside
  kGap,          // exp(-gap / t) gap
  kSquares,      // exp(-gap / t)^2, beside
  kOpen,         // 1 where open
  kWeight,       // w where open, beside
  kWeightGap,    // w gap where open
  kTarget,       // w t, beside
  kTargetGap,    // w t gap
  kTargetTotal,  // t
  kSums
};
constexpr bool wanted(int sum, bool moments, Target target) {
  if (sum == kRest) return true;
  if (sum <= kSquares) return moments;
  return sum < kTarget ? target != Target::kClass : target == Target::kDistribution;
}

template <class A>
struct Sums {
  Vector<A> of[kSums]{};
  Vector<A> least_target{};  // the minimum of 0 and every t

  template <bool moments, Target target, class Mask>
  void add(Vector<A> x, Vector<A> max, Vector<A> e, Mask is_top, Vector<A> w, Vector<A> t) {
    constexpr Vector<A> zero{};
    const auto beside = [&](Vector<A> v) { return is_top ? zero : v; };
    const Vector<A> gap = max - x;
    of[kRest] += beside(e);
    if constexpr (moments) {
      of[kGap] += e > A(0) ? e * gap : zero;
      of[kSquares] += beside(e * e);
    }
    if constexpr (target != Target::kClass) {
      const auto open = x > A(-kInfinity);
      of[kOpen] += open ? splat(A(1)) : zero;
      of[kWeight] += beside(open ? w : zero);
      of[kWeightGap] += open ? w * gap : zero;
    }
    if constexpr (target == Target::kDistribution) {
      const Vector<A> u = w * t;
      of[kTarget] += beside(u);
      of[kTargetGap] += u == A(0) ? zero : u * gap;
      of[kTargetTotal] += t;
      least_target = t < least_target ? t : least_target;
    }
  }
};

// All numbers of a row that its loss depends on.
template <class A>
struct Found {
  Vector<A> max;  // of the logits
  Sums<A> sums{};
  Vector<IntOf<A>> target_is_top{};  // a mask
  Vector<A> x_target{}, w_target{};  // of the class that is the target
  Vector<A> w_top{}, t_top{};        // of the argmax
  Vector<A> row_scale{};
};

template <class A>
struct Answer {
  Vector<A> rest, loss, entropy;
  Vector<A> a, b, c;  // of exp(-gap / t), of w_j where open, and of the target
  Vector<A> top;      // the gradient at the argmax
};

template <class A>
inline Vector<A> power(Vector<A> base, A exponent, int lanes) {
  for (int l = 0; l < lanes; ++l) base[l] = std::pow(base[l], exponent);
  return base;
}

// The gradient of sum_j v_j (lse - z_j) is V p - v. At the argmax, where 1 - p = rest / total, that
// is (V - v) p - v (1 - p): nothing cancels, however near p is to 1. Only the first `lanes` lanes
// need to be right.
template <Target target, class In, class A>
Answer<A> settle(const Batch<In, A>& b, const Found<A>& f, const Temperature<A>& t, int lanes) {
  const Vector<A> zero{}, one = splat(A(1));
  const auto& sum = f.sums.of;
  const A temperature = A(b.temperature), smoothing = A(b.label_smoothing);
  Answer<A> answer;
  answer.rest = sum[kRest] + (f.max - f.max);  // NaN where the max is infinite
  const Vector<A> total = answer.rest + one;
  const Vector<A> log_total = log1p<A>(answer.rest);
  answer.entropy = log_total + sum[kGap] / (total * temperature);

  Vector<A> v_top, v_beside;  // v at the argmax, and its sum over the other classes
  if constexpr (target == Target::kDistribution) {
    const Vector<A> u_top = f.w_top * f.t_top;
    v_top = (1 - smoothing) * u_top;
    v_beside = (1 - smoothing) * sum[kTarget];
    const Vector<A> surprisal = sum[kTargetGap] / temperature + log_total * (sum[kTarget] + u_top);
    answer.loss = times<A>(splat(1 - smoothing), surprisal);
    answer.c = splat(smoothing - 1);
  } else {
    const Vector<A> surprisal = (f.max - f.x_target) / temperature + log_total;
    Vector<A> u = (1 - smoothing) * f.w_target, v = u;
    if (b.gamma) {
      const Vector<A> e = f.target_is_top ? one : exp_difference<A>(f.x_target, f.max, t);
      const Vector<A> miss = (f.target_is_top ? answer.rest : total - e) / total;
      u *= power<A>(miss, A(b.gamma), lanes);
      // -log p / (1 - p) is 1 at p = 1, and p (-log p) is 0 at p = 0.
      const Vector<A> slope = miss > A(0) ? surprisal / miss : one;
      v = u * (one + A(b.gamma) * times<A>(e / total, slope));
    }
    answer.loss = times<A>(u, surprisal);
    v_top = f.target_is_top ? v : zero;
    v_beside = f.target_is_top ? zero : v;
    answer.c = -v;
  }
  answer.b = zero;
  if (target != Target::kClass && smoothing) {
    const Vector<A> share = smoothing / sum[kOpen];
    answer.loss += share * (sum[kWeightGap] / temperature + log_total * (sum[kWeight] + f.w_top));
    v_top += share * f.w_top;
    v_beside += share * sum[kWeight];
    answer.b = -share;
  }
  const Vector<A> lse = f.max / temperature + log_total;
  const Vector<A> z_slope = A(2 * b.z_loss) * lse;
  if (b.z_loss) answer.loss += A(b.z_loss) * lse * lse;

  const Vector<A> scale = f.row_scale / temperature;
  answer.a = scale * (v_beside + v_top + z_slope) / total;
  answer.top = scale * ((v_beside + z_slope) - v_top * answer.rest) / total;
  answer.b *= scale;
  answer.c *= scale;
  return answer;
}

// Gives exp(-gap / t) as the gradient needs it: for smoothing, a masked class becomes -0, since its
// 0 must differ from that of a class whose exp has underflowed.
template <Target target, class A>
inline Vector<A> marked(Vector<A> e, Vector<A> x) {
  if constexpr (target == Target::kClass) return e;
  return x > A(-kInfinity) ? e : -Vector<A>{};
}

// Gives the gradient, except at the argmax and at a target class, from a marked e.
template <Target target, class A>
inline Vector<A> gradient(Vector<A> e, Vector<A> w, Vector<A> t, Vector<A> a, Vector<A> b,
                          Vector<A> c) {
  Vector<A> g = a * e;
  if constexpr (target != Target::kClass)
    g += bit_cast<Vector<IntOf<A>>>(e) < 0 ? Vector<A>{} : b * w;
  if constexpr (target == Target::kDistribution) g += c * (w * t);
  return g;
}

}  // namespace
}  // namespace plogq
