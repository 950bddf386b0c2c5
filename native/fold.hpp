// Rows of few classes, whose figures are added up while still in the cache. No Python, no threads.
#pragma once
#include <memory>

#include "figures.hpp"
#include "sums.hpp"

namespace plogq {
namespace {

// As many rows as a vector has lanes; lanes after the last row have bucket 0 and figures 0.
struct FoldRows {
  const int64_t *bucket, *target, *predicted;
  const double *surprisal, *confidence, *correct, *entropy, *brier;
};

// What rows of one kind add up to: their number, the upper two integers of a sum, and how many of
// them are right. They lie side by side, so that a row is added in one step.
typedef int64_t Kind __attribute__((vector_size(32)));

inline void add_to(Kind& kind, const int64_t* row) {
  Kind more;
  memcpy(&more, row, sizeof more);
  kind += more;
}

// Kinds of rows while they are added: a cell for each label and prediction, and bins of confidence,
// where every other row has bins of its own: most rows have one bin, and would wait for each other.
struct Kinds {
  std::unique_ptr<Kind[]> cell, bin[2];

  Kinds(int64_t cells, int64_t bins)
      : cell(new Kind[cells]{}), bin{std::unique_ptr<Kind[]>(new Kind[bins]{}),
                                     std::unique_ptr<Kind[]>(new Kind[bins]{})} {}

  template <class In>
  void add_to(const Fold<In>& b) const {
    const int64_t cells = b.rows.classes * b.rows.classes;
    for (int64_t c = 0; c < cells; ++c) {
      b.cell_rows[c] += cell[c][0];
      for (int p = 0; p < 2; ++p) b.cell_surprisal[p * cells + c] += cell[c][1 + p];
    }
    for (int64_t k = 0; k < b.bins; ++k) {
      const Kind both = bin[0][k] + bin[1][k];
      b.bin_rows[k] += both[0];
      for (int p = 0; p < 2; ++p) b.bin_confidence[p * b.bins + k] += both[1 + p];
      b.bin_correct[k] += both[3] << kTopBits;
    }
  }
};

// Writes lanes as rows of four.
template <class Lanes>
inline void as_rows(int64_t* rows, Lanes a, Lanes b, Lanes c, Lanes d) {
  constexpr int L = sizeof(Lanes) / sizeof(int64_t);
  if constexpr (L == 8) {
    const auto ab = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const auto cd = __builtin_shufflevector(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
    const auto later_ab = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    const auto later_cd = __builtin_shufflevector(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
    store_integers(rows, __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 2, 3, 10, 11));
    store_integers(rows + 8, __builtin_shufflevector(ab, cd, 4, 5, 12, 13, 6, 7, 14, 15));
    rows += 16;
    store_integers(rows, __builtin_shufflevector(later_ab, later_cd, 0, 1, 8, 9, 2, 3, 10, 11));
    store_integers(rows + 8, __builtin_shufflevector(later_ab, later_cd, 4, 5, 12, 13, 6, 7, 14, 15));
  } else {
    for (int l = 0; l < L; ++l) {
      const int64_t row[] = {a[l], b[l], c[l], d[l]};
      memcpy(rows + 4 * l, row, sizeof row);
    }
  }
}

// Adds the figures of n rows; gives false if a bucket does not exist.
template <class In>
inline bool add_rows(const Fold<In>& b, Kinds& kinds, const FoldRows& row, int64_t n) {
  constexpr int L = kLanes<double>;
  const int64_t classes = b.rows.classes, cells = classes * classes;
  const auto figure = [](const double* p) { return load<double>(p); };
  const Groups bucket(row.bucket, b.buckets);
  if (!bucket.exist) return false;

  const Vector<double> all = figure(row.surprisal);
  const auto apart = ~(all < kMostSplit);
  const Vector<double> surprisal = apart ? Vector<double>{} : all;
  const Split cost(surprisal), confidence(figure(row.confidence));
  const Vector<int64_t> there = (lane_numbers<double>() < n) & 1;
  const Vector<int64_t> right = __builtin_convertvector(figure(row.correct), Vector<int64_t>);
  const Vector<int64_t> right_quanta = right << kTopBits;
  add_by_group(b.bucket_rows, b.buckets, bucket, &there, 1);
  add_by_group(b.bucket_correct, b.buckets, bucket, &right_quanta, 1);
  add_by_group(b.bucket_surprisal, b.buckets, bucket, cost);
  add_by_group(b.bucket_entropy, b.buckets, bucket, Split(figure(row.entropy)));
  add_by_group(b.bucket_brier, b.buckets, bucket, Split(figure(row.brier)));

  // Bins of confidence are (lo, hi], and a confidence is above 0.
  const Vector<double> place = figure(row.confidence) * double(b.bins);
  const Vector<int64_t> floor = __builtin_convertvector(place, Vector<int64_t>);
  const auto whole = __builtin_convertvector(floor, Vector<double>) == place;
  const Vector<int64_t> surprisal_bin =
      __builtin_convertvector(surprisal / b.surprisal_width, Vector<int64_t>);
  const Vector<int64_t> label = load_integers(row.target);
  alignas(64) int64_t cell[L], bin[L], of_surprisal[L], bucket_label[L], is_apart[L];
  alignas(64) int64_t of_cell[4 * L], of_bin[4 * L];
  store_integers(cell, label * classes + load_integers(row.predicted));
  store_integers(bin, whole ? floor - 1 : floor);
  store_integers(of_surprisal, surprisal_bin);
  store_integers(bucket_label, load_integers(row.bucket) * classes + label);
  store_integers(is_apart, apart);
  as_rows(of_cell, there, cost.part[0], cost.part[1], Vector<int64_t>{});
  as_rows(of_bin, there, confidence.part[0], confidence.part[1], right);
  const int64_t beyond = b.surprisal_bins - 2;  // the last bin but one; the last is for inf
  for (int64_t l = 0; l < n; ++l) {
    ++b.label_rows[bucket_label[l]];
    b.surprisal_rows[of_surprisal[l] < beyond ? of_surprisal[l] : beyond] += 1 + is_apart[l];
    add_to(kinds.cell[cell[l]], of_cell + 4 * l);
    add_to(kinds.bin[l & 1][bin[l]], of_bin + 4 * l);
  }
  for (int64_t l = 0; l < n; ++l) {  // of values below 2^-29, which are rare
    if (cost.parts == kParts) b.cell_surprisal[2 * cells + cell[l]] += cost.part[2][l];
    if (confidence.parts == kParts) b.bin_confidence[2 * b.bins + bin[l]] += confidence.part[2][l];
  }
  return true;
}

// Does the same for fewer rows than a vector has lanes.
template <class In>
bool add_last_rows(const Fold<In>& b, Kinds& kinds, const FoldRows& row, int64_t n) {
  constexpr int L = kLanes<double>;
  double figures[5][L] = {};
  int64_t groups[3][L] = {};
  const double* const given[] = {row.surprisal, row.confidence, row.correct, row.entropy,
                                 row.brier};
  const int64_t* const of[] = {row.bucket, row.target, row.predicted};
  for (int64_t r = 0; r < n; ++r) {
    for (int k = 0; k < 5; ++k) figures[k][r] = given[k][r];
    for (int k = 0; k < 3; ++k) groups[k][r] = of[k][r];
  }
  return add_rows(b, kinds, {groups[0], groups[1], groups[2], figures[0], figures[1], figures[2],
                      figures[3], figures[4]}, n);
}

template <class In>
FoldFound fold(const Fold<In>& b) {
  constexpr int L = kLanes<double>;
  alignas(64) double figures[4][kFigureRows];
  alignas(64) int64_t predicted[kFigureRows];
  Figures<In> part = b.rows;
  part.confidence = figures[0];
  part.correct = figures[1];
  part.entropy = figures[2];
  part.brier = figures[3];
  part.predicted = predicted;
  Kinds kinds(part.classes * part.classes, b.bins);
  FoldFound found;
  for (int64_t begin = 0; begin < b.rows.rows; begin += kFigureRows) {
    const int64_t left = b.rows.rows - begin, n = left < kFigureRows ? left : kFigureRows;
    part.first = begin;
    part.surprisal = b.rows.surprisal + begin;
    found.bad = few_figures(part, begin, begin + n);
    if (found.bad >= 0) return found;
    for (int64_t i = 0; i < n; i += L) {
      const FoldRows row{b.bucket + begin + i, part.target + begin + i, predicted + i,
                         part.surprisal + i,   figures[0] + i,          figures[1] + i,
                         figures[2] + i,       figures[3] + i};
      if (n - i < L ? add_last_rows(b, kinds, row, n - i) : add_rows(b, kinds, row, L)) continue;
      for (found.bad = begin + i; uint64_t(b.bucket[found.bad]) < uint64_t(b.buckets);)
        ++found.bad;
      return found;
    }
    for (int64_t i = 0; i < n; ++i)
      if (!(part.surprisal[i] < kMostSplit)) b.apart[found.apart++] = begin + i;
  }
  kinds.add_to(b);
  return found;
}

}  // namespace
}  // namespace plogq
