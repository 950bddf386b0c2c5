// The rows of a table whose numbers hash low. No Python, no threads.
#pragma once
#include "simd.hpp"

namespace plogq {
namespace {

typedef uint64_t Hashes __attribute__((vector_size(kVectorBytes)));

// SplitMix64 at its n-th step from a seed (Steele, Lea, Flood 2014; constants: Vigna).
inline Hashes splitmix64(Hashes n, uint64_t seed) {
  Hashes z = seed + (n + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// Implements `Lowest` of batch.hpp.
int64_t lowest_hashes(uint64_t start, int64_t n, uint64_t seed, uint64_t limit, int64_t* place) {
  constexpr int L = sizeof(Hashes) / sizeof(uint64_t);
  Hashes row{};
  for (int l = 0; l < L; ++l) row[l] = start + l;
  int64_t found = 0;
  for (int64_t k = 0; k < n; k += L, row += L) {
    const auto low = splitmix64(row, seed) <= limit;
    if (!any(low)) continue;
    for (int l = 0; l < L && k + l < n; ++l)
      if (low[l]) place[found++] = k + l;
  }
  return found;
}

}  // namespace
}  // namespace plogq
