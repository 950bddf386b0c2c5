// Sums of doubles in fixed point: exact, so that neither order nor split can change them.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace plogq {

// Eight limbs of 32 bits, least significant first, quantum 2^-128; each is kept in 64 bits, so that
// 2^30 values can be added before carries are moved. Between calls limbs 0 to 6 are in [0, 2^32).
constexpr int kLimbs = 8;
constexpr int kQuantum = 128;
constexpr double kLargest = 0x1p126;
constexpr std::int64_t kAddsBetweenCarries = std::int64_t(1) << 30;

inline void add(std::int64_t* limbs, double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint64_t one = std::uint64_t(1) << 52;
  std::uint64_t mantissa = (bits & (one - 1)) | one;
  int position = (int(bits >> 52) & 0x7ff) - 1075 + kQuantum;  // of the mantissa's lowest bit
  if (position < 0) {
    if (position <= -53) return;  // below the quantum, and zero
    mantissa >>= -position;
    position = 0;
  }
  const int shift = position & 31;
  const std::uint64_t low = (mantissa & 0xffffffff) << shift;
  const std::uint64_t high = ((mantissa >> 32) << shift) + (low >> 32);
  const std::int64_t sign = std::int64_t(bits) >> 63;  // 0 or -1
  const auto with_sign = [sign](std::uint64_t part) { return (std::int64_t(part) ^ sign) - sign; };
  const int first = position >> 5;
  limbs[first] += with_sign(low & 0xffffffff);
  limbs[first + 1] += with_sign(high & 0xffffffff);
  // Nothing below kLargest reaches past the last limb: what is added there by the minimum is zero.
  limbs[first + 2 < kLimbs ? first + 2 : kLimbs - 1] += with_sign(high >> 32);
}

inline void carry(std::int64_t* limbs) {
  for (int i = 0; i + 1 < kLimbs; ++i) {
    limbs[i + 1] += limbs[i] >> 32;
    limbs[i] &= 0xffffffff;
  }
}

// The position of the first value or group that cannot be added, or -1.
inline std::int64_t first_bad(std::int64_t groups, const double* values, const std::int64_t* group,
                              std::int64_t n) {
  bool bad = false;
  for (std::int64_t k = 0; k < n; ++k) bad |= !(std::fabs(values[k]) < kLargest);
  if (group)
    for (std::int64_t k = 0; k < n; ++k) bad |= group[k] < 0 || group[k] >= groups;
  if (bad)
    for (std::int64_t k = 0; k < n; ++k)
      if (!(std::fabs(values[k]) < kLargest) || (group && (group[k] < 0 || group[k] >= groups)))
        return k;
  return -1;
}

// Adds values[k] to the sum of group[k], or of group 0.
inline void add(std::int64_t* sums, std::int64_t groups, const double* values,
                const std::int64_t* group, std::int64_t n) {
  for (std::int64_t begin = 0; begin < n; begin += kAddsBetweenCarries) {
    const std::int64_t end = n - begin < kAddsBetweenCarries ? n : begin + kAddsBetweenCarries;
    for (std::int64_t k = begin; k < end; ++k)
      add(sums + kLimbs * (group ? group[k] : 0), values[k]);
    for (std::int64_t g = 0; g < groups; ++g) carry(sums + kLimbs * g);
  }
}

}  // namespace plogq
