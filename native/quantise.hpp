// Rows of predictions as the integer weights of a range coder, and the cost of the rounding.
// plogq.formulas has the formulas: surprisal, kl_divergence.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace plogq {

constexpr int kPrecision = 24;  // a row's weights sum to 2^24
constexpr std::int64_t kWhole = std::int64_t(1) << kPrecision;

template <class In>
struct Predictions {
  const In* data;
  std::int64_t rows, classes, row_stride, class_stride;
  bool logs;         // log-probabilities up to a constant, or probabilities
  double tolerance;  // of the sum of probabilities
};

struct Quantised {
  float* weights;                // (rows, classes), less 1: constriction adds it to every class
  double* divergence;            // D_KL(q || weights / 2^24), nats
  const std::int64_t* labels;    // null: no surprisal is wanted
  double* surprisal;             // -log q(label), nats
};

// x - log(1 + x), by its series where x is small, to nine digits, as many as are shown of a mean.
inline double excess_less_log(double x) {
  if (std::fabs(x) > 1.0 / 64) return x - std::log1p(x);
  return x * x * (1.0 / 2 - x * (1.0 / 3 - x * (1.0 / 4 - x * (1.0 / 5 - x * (1.0 / 6)))));
}

// e^x for x <= 0, the same bits on every machine, which std::exp does not promise: sums and products
// alone, none fused (-ffp-contract=off). Within an ulp or so; 0 below -708. x = n log 2 + r, |r| <
// 0.35, log 2 in two parts as in fdlibm's e_exp.c; then the series of e^r up to r^13 / 13!.
inline double exp_everywhere(double x) {
  constexpr double kRound = 0x1.8p52;  // added and taken away, it rounds to an integer
  const double within = x < -708 ? -708 : x;
  const double n = (within * 0x1.71547652b82fep0 + kRound) - kRound;
  const double r = (within - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double sum = 1.0 / 6227020800;
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 1.0 / 2;
  sum = sum * r + 1;
  sum = sum * r + 1;
  const double power = std::bit_cast<double>(std::uint64_t(std::int64_t(n) + 1023) << 52);
  return x < -708 ? 0 : sum * power;
}

// The class boundaries are the cumulative probabilities rounded down, moved up by one per class:
// every class keeps at least weight 1. Sums run from the first class to the last, and nothing is
// multiplied and added at once, so any compiler and machine gives the same integers for the same
// predictions. Returns the first row that is no distribution, or -1.
template <class In>
std::int64_t quantise(const Predictions<In>& p, const Quantised& out, double* row) {
  const std::int64_t classes = p.classes;
  const double free_weight = double(kWhole - classes);
  for (std::int64_t i = 0; i < p.rows; ++i) {
    const In* const x = p.data + i * p.row_stride;
    double top = -std::numeric_limits<double>::infinity(), lowest = 0;
    std::int64_t best = 0;
    bool is_number = true;
    for (std::int64_t j = 0; j < classes; ++j) {
      row[j] = double(x[j * p.class_stride]);
      is_number &= row[j] == row[j];
      if (row[j] < lowest) lowest = row[j];
      if (row[j] > top) {
        top = row[j];
        best = j;
      }
    }
    if (!is_number || !(std::fabs(top) <= std::numeric_limits<double>::max())) return i;
    const std::int64_t label = out.labels ? out.labels[i] : 0;
    const double logit = row[label];
    if (p.logs)
      for (std::int64_t j = 0; j < classes; ++j) row[j] = exp_everywhere(row[j] - top);
    else if (lowest < 0)
      return i;
    double total = 0;
    for (std::int64_t j = 0; j < classes; ++j) total += row[j];
    if (!p.logs && !(std::fabs(total - 1) <= p.tolerance)) return i;
    if (out.labels) {  // log1p of the other classes' share keeps the digits of a label near 1
      const std::int64_t apart = p.logs ? best : label;
      double others = 0;
      for (std::int64_t j = 0; j < classes; ++j)
        if (j != apart) others += row[j];
      out.surprisal[i] = p.logs            ? (top - logit) + std::log1p(others)
                         : row[label] == 0 ? std::numeric_limits<double>::infinity()
                                           : std::log1p(others / row[label]);
    }
    const double scale = free_weight / total;
    float* const weights = out.weights + i * classes;
    double cumulative = 0, divergence = 0;
    std::int64_t left = 0;
    for (std::int64_t j = 0; j < classes; ++j) {
      cumulative += row[j];
      const double reached = cumulative * scale;
      const std::int64_t right = j + 1 < classes ? std::int64_t(reached) + j + 1 : kWhole;
      const std::int64_t weight = right - left;
      left = right;
      weights[j] = float(weight - 1);
      // q log(q / w) - q + w: the same in sum, never negative, and right where w is almost q
      const double q = row[j] / total, w = double(weight) / double(kWhole);
      const double excess = w / q - 1;
      divergence += excess < 1e200 ? q * excess_less_log(excess) : w;
    }
    out.divergence[i] = divergence;
  }
  return -1;
}

}  // namespace plogq
