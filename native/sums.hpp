// Exact sums by group, a vector of values at a time. No Python, no threads.
#pragma once
#include "memory.hpp"

namespace plogq {
namespace {

// A value as kParts integers: the rest after each is exact, and the last drops what is below the
// quantum.
struct Split {
  Vector<int64_t> part[kParts]{};
  int parts;  // the others are zero

  explicit Split(Vector<double> value) {
    Vector<double> rest = value * double(int64_t(1) << kTopBits);
    for (parts = 0; parts < kParts;) {
      part[parts] = __builtin_convertvector(rest, Vector<int64_t>);  // towards zero
      rest -= __builtin_convertvector(part[parts], Vector<double>);
      rest *= double(int64_t(1) << kPartBits);
      // Only values below 2^-29, which are rare, need the last integer.
      if (++parts == kParts - 1 && !any(rest != 0)) break;
    }
  }
};

inline bool can_split(Vector<double> value) {
  return !any(~((value < kMostSplit) & (value > -kMostSplit)));  // nor is it NaN
}

inline void add_to(int64_t* sums, Vector<int64_t> terms) {
  Vector<int64_t> sum;
  memcpy(&sum, sums, sizeof sum);
  sum += terms;
  memcpy(sums, &sum, sizeof sum);
}

// The groups of a vector of rows.
struct Groups {
  const int64_t* of;
  bool exist, in_a_row;  // in_a_row: consecutive, as the groups of a table's rows often are

  Groups(const int64_t* group, int64_t groups) : of(group) {
    constexpr int L = kLanes<double>;
    Vector<int64_t> g;
    memcpy(&g, group, sizeof g);
    exist = !any((g < 0) | (g >= groups));
    in_a_row = of[L - 1] - of[0] == L - 1 && !any(g != lane_numbers<double>() + of[0]);
  }
};

// Adds rows of integers, a term for each lane, to the integers of the groups.
inline void add_by_group(int64_t* sums, int64_t groups, const Groups& group,
                         const Vector<int64_t>* terms, int rows) {
  constexpr int L = kLanes<double>;
  if (group.in_a_row) {
    for (int p = 0; p < rows; ++p) add_to(sums + p * groups + group.of[0], terms[p]);
    return;
  }
  for (int p = 0; p < rows; ++p) {
    alignas(64) int64_t term[L];
    memcpy(term, terms + p, sizeof term);
    for (int l = 0; l < L; ++l) sums[p * groups + group.of[l]] += term[l];
  }
}

inline void add_by_group(int64_t* sums, int64_t groups, const Groups& group, const Split& split) {
  add_by_group(sums, groups, group, split.part, split.parts);
}

inline bool is_at_fault(const ExactSums& sums, double value, const int64_t* group) {
  return !(value < kLargest && value > -kLargest) ||
         (group && uint64_t(*group) >= uint64_t(sums.groups));
}

// Adds, or takes away again, values one by one up to the first at fault; gives how many.
template <int sign>
int64_t add_each(const ExactSums& sums, const double* values, const int64_t* group, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    if (is_at_fault(sums, values[k], group ? group + k : group)) return k;
    int64_t* const limbs = sums.limbs + (group ? kLimbs * group[k] : 0);
    add(limbs, sign * values[k]);
    carry(limbs);
  }
  return n;
}

// Does the same by vectors, for at most kMostPending values.
template <int sign>
int64_t add_some(const ExactSums& sums, const double* values, const int64_t* group, int64_t n) {
  constexpr int L = kLanes<double>;
  const auto group_at = [&](int64_t k) { return group ? group + k : group; };
  Vector<int64_t> of_all[kParts]{};
  int64_t k = 0;
  for (; sums.parts && k + L <= n; k += L) {
    const Vector<double> value = sign * load<double>(values + k);
    if (can_split(value) && !group) {
      const Split split(value);
      for (int p = 0; p < kParts; ++p) of_all[p] += split.part[p];
      continue;
    }
    if (can_split(value)) {
      const Groups here(group + k, sums.groups);
      if (here.exist) {
        add_by_group(sums.parts, sums.groups, here, Split(value));
        continue;
      }
    }
    if (const int64_t taken = add_each<sign>(sums, values + k, group_at(k), L); taken < L) {
      k += taken;
      n = k;
      break;
    }
  }
  for (int p = 0; sums.parts && !group && p < kParts; ++p)
    for (int l = 0; l < L; ++l) sums.parts[p * sums.groups] += of_all[p][l];
  return k + add_each<sign>(sums, values + k, group_at(k), n - k);
}

// Implements `Add` of batch.hpp.
int64_t add_exactly(ExactSums& sums, const double* values, const int64_t* group, int64_t n) {
  const auto pass = [&](auto add, int64_t size) {
    int64_t k = 0;
    for (int64_t taken = 1; k < size && taken; k += taken) {
      const int64_t some = size - k < kMostPending ? size - k : kMostPending;
      if (sums.parts && sums.pending + some > kMostPending) settle(sums);
      sums.pending += some;
      taken = add(sums, values + k, group ? group + k : group, some);
      if (taken < some) return k + taken;
    }
    return k;
  };
  const int64_t taken = pass(add_some<1>, n);
  if (taken == n) return -1;
  pass(add_some<-1>, taken);
  return taken;
}

}  // namespace
}  // namespace plogq
