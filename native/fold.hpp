// Rows of few classes, their figures added up while they are in the cache. No Python, no threads.
#pragma once
#include "figures.hpp"
#include "sums.hpp"

namespace plogq {
namespace {

inline Vector<int64_t> integers(const int64_t* p) {
  Vector<int64_t> v;
  memcpy(&v, p, sizeof v);
  return v;
}

// As many rows as a vector has lanes. Those that are not there have bucket 0 and figures 0.
struct FoldRows {
  const int64_t *bucket, *target, *predicted;
  const double *surprisal, *confidence, *correct, *entropy, *brier;
};

// Adds the figures of n rows; gives false where a bucket does not exist.
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
  const Vector<int64_t> label = integers(row.target);
  alignas(64) Vector<int64_t> groups[4] = {label * classes + integers(row.predicted),
                                           whole ? floor - 1 : floor, surprisal_bin,
                                           integers(row.bucket) * classes + label};
  alignas(64) int64_t cell[L], bin[L], of_surprisal[L], bucket_label[L], is_apart[L];
  alignas(64) int64_t costs[kParts][L], confidences[kParts][L], rights[L];
  memcpy(cell, groups, sizeof cell);
  memcpy(bin, groups + 1, sizeof bin);
  memcpy(of_surprisal, groups + 2, sizeof of_surprisal);
  memcpy(bucket_label, groups + 3, sizeof bucket_label);
  memcpy(is_apart, &apart, sizeof is_apart);
  memcpy(costs, cost.part, sizeof costs);
  memcpy(confidences, confidence.part, sizeof confidences);
  memcpy(rights, &right, sizeof rights);
  const int64_t beyond = b.surprisal_bins - 2;  // before the last, for what is infinite
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

template <class In>
FoldFound fold(const Fold<In>& b) {
  constexpr int L = kLanes<double>;
  alignas(64) double figures[5][kFigureRows] = {};
  alignas(64) int64_t rows[3][kFigureRows] = {};  // bucket, target, predicted
  Figures<In> part = b.rows;
  part.surprisal = figures[0];
  part.confidence = figures[1];
  part.correct = figures[2];
  part.entropy = figures[3];
  part.brier = figures[4];
  part.predicted = rows[2];
  FoldFound found;
  for (int64_t begin = 0; begin < b.rows.rows; begin += kFigureRows) {
    const int64_t left = b.rows.rows - begin, n = left < kFigureRows ? left : kFigureRows;
    part.first = begin;
    found.bad = few_figures(part, begin, begin + n);
    if (found.bad >= 0) return found;
    // A copy, in the cache, so that what is beyond the last row can be 0 in a whole vector.
    memcpy(rows[0], b.bucket + begin, n * sizeof(int64_t));
    memcpy(rows[1], b.rows.target + begin, n * sizeof(int64_t));
    for (int64_t i = n; i < (n + L - 1) / L * L; ++i)
      for (int k = 0; k < 5; ++k) figures[k][i] = 0, rows[k % 3][i] = 0;
    for (int64_t i = 0; i < n; i += L) {
      const FoldRows row{rows[0] + i,    rows[1] + i,    rows[2] + i,    figures[0] + i,
                         figures[1] + i, figures[2] + i, figures[3] + i, figures[4] + i};
      const int64_t some = n - i < L ? n - i : L;
      if (!add_rows(b, row, some)) {
        for (found.bad = begin + i; uint64_t(b.bucket[found.bad]) < uint64_t(b.buckets);) ++found.bad;
        return found;
      }
    }
    for (int64_t i = 0; i < n; ++i)
      if (!(figures[0][i] < kMostSplit)) b.apart[found.apart++] = begin + i;
    memcpy(b.rows.surprisal + begin, figures[0], n * sizeof(double));
    memcpy(b.rows.predicted + begin, rows[2], n * sizeof(int64_t));
  }
  return found;
}

}  // namespace
}  // namespace plogq
