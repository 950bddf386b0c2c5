// Rows of few classes, whose figures are added up while still in the cache. No Python, no threads.
#pragma once
#include "figures.hpp"
#include "sums.hpp"

namespace plogq {
namespace {

// As many rows as a vector has lanes; lanes after the last row have bucket 0 and figures 0.
struct FoldRows {
  const int64_t *bucket, *target, *predicted;
  const double *surprisal, *confidence, *correct, *entropy, *brier;
};

// Adds the figures of n rows; gives false if a bucket does not exist.
template <class In>
inline bool add_rows(const Fold<In>& b, const FoldRows& row, int64_t n) {
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
  const Vector<int64_t> right =
      __builtin_convertvector(figure(row.correct), Vector<int64_t>) << kTopBits;
  add_by_group(b.bucket_rows, b.buckets, bucket, &there, 1);
  add_by_group(b.bucket_correct, b.buckets, bucket, &right, 1);
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
  alignas(64) int64_t costs[kParts][L], confidences[kParts][L], rights[L];
  store_integers(cell, label * classes + load_integers(row.predicted));
  store_integers(bin, whole ? floor - 1 : floor);
  store_integers(of_surprisal, surprisal_bin);
  store_integers(bucket_label, load_integers(row.bucket) * classes + label);
  store_integers(is_apart, apart);
  store_integers(rights, right);
  for (int p = 0; p < kParts; ++p) store_integers(costs[p], cost.part[p]);
  for (int p = 0; p < kParts; ++p) store_integers(confidences[p], confidence.part[p]);
  const int64_t beyond = b.surprisal_bins - 2;  // the last bin but one; the last is for inf
  for (int64_t l = 0; l < n; ++l) {
    ++b.label_rows[bucket_label[l]];
    ++b.cell_rows[cell[l]];
    ++b.bin_rows[bin[l]];
    b.surprisal_rows[of_surprisal[l] < beyond ? of_surprisal[l] : beyond] += 1 + is_apart[l];
    for (int p = 0; p < cost.parts; ++p) b.cell_surprisal[p * cells + cell[l]] += costs[p][l];
    for (int p = 0; p < confidence.parts; ++p)
      b.bin_confidence[p * b.bins + bin[l]] += confidences[p][l];
    b.bin_correct[bin[l]] += rights[l];
  }
  return true;
}

// Does the same for fewer rows than a vector has lanes.
template <class In>
bool add_last_rows(const Fold<In>& b, const FoldRows& row, int64_t n) {
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
  return add_rows(b, {groups[0], groups[1], groups[2], figures[0], figures[1], figures[2],
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
      if (n - i < L ? add_last_rows(b, row, n - i) : add_rows(b, row, L)) continue;
      for (found.bad = begin + i; uint64_t(b.bucket[found.bad]) < uint64_t(b.buckets);)
        ++found.bad;
      return found;
    }
    for (int64_t i = 0; i < n; ++i)
      if (!(part.surprisal[i] < kMostSplit)) b.apart[found.apart++] = begin + i;
  }
  return found;
}

}  // namespace
}  // namespace plogq
