// The figures of each row of predictions, from its logits and its label. No Python, no threads.
#pragma once
#include "few_classes.hpp"
#include "many_classes.hpp"

namespace plogq {
namespace {

template <class In>
inline double at(const Figures<In>& b, int64_t i, int64_t j) {
  return double(b.columns ? b.columns[j][i] : b.logits[i * b.row_stride + j]);
}

// Writes the figures of the rows from i on, one to a lane; gives the first of them that is at
// fault, or -1.
template <class In>
inline int64_t write_figures(const Figures<In>& b, int64_t i, int64_t n, Vector<double> max,
                             Vector<double> rest, Vector<double> confidence,
                             Vector<double> squares, Vector<double> loss, Vector<double> entropy,
                             Vector<double> p_target, Vector<int64_t> target_is_top) {
  const Vector<double> one = splat(1.0), share = confidence * confidence;
  // sum_j (p_j - t_j)^2 without a difference of nearly equal numbers: the target's own share is
  // 1 - p_y = rest / (1 + rest) where it is the top class, and p_y <= 1/2 where it is not.
  const Vector<double> right = (rest * rest + squares) * share;
  const Vector<double> wrong = (one - 2 * p_target) + (one + squares) * share;
  const int64_t to = i - b.first;
  store<double>(b.surprisal + to, loss, n);
  store<double>(b.confidence + to, confidence, n);
  store<double>(b.correct + to, target_is_top ? one : Vector<double>{}, n);
  store<double>(b.entropy + to, entropy, n);
  store<double>(b.brier + to, target_is_top ? right : wrong, n);
  // NaN makes the sum NaN, +inf is the max, and a row of only -inf has the max -inf.
  const Vector<int64_t> bad = (max - max != 0) | (rest != rest);
  if (any(bad))
    for (int64_t l = 0; l < n; ++l)
      if (bad[l]) return i + l;
  return -1;
}

// exp(x - max) of some x <= max, side by side, which keeps the arithmetic busy: exp_difference at
// temperature 1. `gap` takes x - max, and 0 where exp underflows.
template <int some>
inline void exp_side_by_side(const Vector<double> (&x)[some], Vector<double> max,
                             Vector<double> (&e)[some], Vector<double> (&gap)[some]) {
  using Constants = Arithmetic<double>;
  const Vector<double> zero{};
  Vector<double> n[some], r[some];
  for (int k = 0; k < some; ++k) {
    const Vector<double> d = x[k] - max, back = d - x[k];
    const Vector<double> error = (x[k] - (d - back)) - (max + back);
    n[k] = (d * kLog2E + Constants::rounder) - Constants::rounder;
    r[k] = ((d - n[k] * Constants::ln2_high) - n[k] * Constants::ln2_low) + error;
    gap[k] = d;
  }
  constexpr int degree = sizeof(Constants::taylor) / sizeof(double) - 1;
  for (int k = 0; k < some; ++k) e[k] = splat(Constants::taylor[degree]);
#pragma GCC unroll 16
  for (int d = degree - 1; d >= 0; --d)
    for (int k = 0; k < some; ++k) e[k] = e[k] * r[k] + Constants::taylor[d];
  for (int k = 0; k < some; ++k) {
    const auto far = gap[k] < Constants::underflow;
    e[k] = far ? zero : scale<double>(e[k], n[k]);
    gap[k] = far ? zero : gap[k];
  }
}

constexpr int64_t kFigureRows = 128;  // at a time: all their figures stay in the cache

// Sums over the classes except the first maximum, and the term of the label.
struct FigureSums {
  Vector<double> rest{}, gaps{}, squares{}, e_label{};

  // Adds the `some` classes from j on, side by side.
  template <int some, class Column>
  void add(const Column& column, int64_t j, Vector<double> max, Vector<int64_t> top,
           Vector<int64_t> label) {
    Vector<double> x[some], e[some], gap[some];
    for (int k = 0; k < some; ++k) x[k] = column(j + k);
    exp_side_by_side(x, max, e, gap);
    for (int k = 0; k < some; ++k) {
      const Vector<double> beside = top == j + k ? Vector<double>{} : e[k];
      rest += beside;
      gaps -= beside * gap[k];
      squares += beside * beside;
      e_label = label == j + k ? e[k] : e_label;
    }
  }
};

// At most kFigureRows rows of few classes: as many at once as a vector has lanes. Columns are read
// in place.
template <class In>
int64_t few_figures(const Figures<In>& b, int64_t begin, int64_t end) {
  constexpr int L = kLanes<double>;
  alignas(64) double tile[kFewClasses * L];  // tile[j * L + r]: class j of row r
  for (int64_t i = begin; i < end; i += L) {
    const int64_t n = end - i < L ? end - i : L;
    const bool by_column = b.columns && n == L;
    if (!by_column)
      for (int64_t r = 0; r < L; ++r)
        for (int64_t j = 0; j < b.classes; ++j) tile[j * L + r] = r < n ? at(b, i + r, j) : 0;
    const auto column = [&](int64_t j) {
      return by_column ? load<double>(b.columns[j] + i) : load<double>(tile + j * L);
    };
    const Vector<int64_t> label = load_integers(b.target + i, n);
    Vector<double> max = column(0), x_label = max;
    Vector<int64_t> top{};
    for (int64_t j = 1; j < b.classes; ++j) {
      const Vector<double> x = column(j);
      const auto above = x > max;
      max = above ? x : max;
      top = above ? splat<int64_t>(j) : top;
      x_label = label == j ? x : x_label;
    }
    FigureSums sums;
    for (int64_t j = 0, some; j < b.classes; j += some) {
      // At most five side by side, for which there are registers, and all about as many.
      const int64_t left = b.classes - j, turns = (left + 4) / 5;
      some = (left + turns - 1) / turns;
      switch (some) {
        case 5: sums.add<5>(column, j, max, top, label); break;
        case 4: sums.add<4>(column, j, max, top, label); break;
        case 3: sums.add<3>(column, j, max, top, label); break;
        case 2: sums.add<2>(column, j, max, top, label); break;
        default: sums.add<1>(column, j, max, top, label);
      }
    }
    const Vector<double> log_total = log1p<double>(sums.rest);
    const Vector<double> loss = (max - x_label) + log_total;
    const Vector<double> confidence = 1 / (1 + sums.rest);
    store_integers(b.predicted + (i - b.first), top, n);
    const int64_t bad = write_figures(b, i, n, max, sums.rest, confidence, sums.squares, loss,
                                      log_total + sums.gaps * confidence,
                                      sums.e_label * confidence, label == top);
    if (bad >= 0) return bad;
  }
  return -1;
}

// Rows of many classes, computed from their statistics. Columns become rows in scratch.
template <class In>
int64_t many_figures(const Figures<In>& b, std::byte* scratch) {
  constexpr int L = kLanes<double>;
  constexpr int64_t most = 4 * kRowsInScratch;
  const int64_t block = b.columns ? kRowsInScratch : most;
  alignas(64) double statistics[5][most] = {};
  alignas(64) int64_t is_top[most] = {};
  In* const gathered = reinterpret_cast<In*>(scratch);
  if (b.columns) scratch += kRowsInScratch * b.classes * sizeof(In);

  const Temperature<double> once(1);
  Batch<In, double> part{};
  part.row_stride = b.columns ? b.classes : b.row_stride;
  part.class_stride = part.target_stride = 1;
  part.classes = b.classes;
  part.tolerance = -1;
  part.temperature = 1;
  part.max = statistics[0];
  part.rest = statistics[1];
  part.loss = statistics[2];
  part.entropy = statistics[3];
  part.rest_squares = statistics[4];
  for (int64_t begin = 0; begin < b.rows; begin += block) {
    const int64_t rows = b.rows - begin < block ? b.rows - begin : block;
    for (int64_t j = 0; b.columns && j < b.classes; ++j)
      for (int64_t r = 0; r < rows; ++r) gathered[r * b.classes + j] = b.columns[j][begin + r];
    part.logits = b.columns ? gathered : b.logits + begin * b.row_stride;
    part.rows = rows;
    part.target = b.target + begin;
    part.argmax = b.predicted + begin;
    many_classes<true, Target::kClass>(part, 0, rows, scratch);
    for (int64_t r = 0; r < rows; ++r) is_top[r] = part.argmax[r] == part.target[r] ? -1 : 0;
    for (int64_t r = 0; r < rows; r += L) {
      const auto of = [&](const double* figure) { return load<double>(figure + r); };
      const Vector<double> rest = of(part.rest), loss = of(part.loss);
      const Vector<double> p_target = exp_of<double>(-loss, Vector<double>{}, once);
      const int64_t bad =
          write_figures(b, begin + r, rows - r < L ? rows - r : L, of(part.max), rest,
                        1 / (1 + rest), of(part.rest_squares), loss, of(part.entropy), p_target,
                        load_integers(is_top + r));
      if (bad >= 0) return bad;
    }
  }
  return -1;
}

template <class In>
int64_t figures(const Figures<In>& b, std::byte* scratch) {
  if (b.classes > kFewClasses) return many_figures(b, scratch);
  for (int64_t i = 0; i < b.rows; i += kFigureRows) {
    const int64_t bad = few_figures(b, i, b.rows - i < kFigureRows ? b.rows : i + kFigureRows);
    if (bad >= 0) return bad;
  }
  return -1;
}

}  // namespace
}  // namespace plogq
