// Sums of doubles in fixed point: they are exact, so that neither order nor split changes them.
#pragma once
#include <cstdint>
#include <cstring>

namespace plogq {

// Eight limbs of 32 bits, least significant first, quantum 2^-128; each is kept in 64 bits, so that
// carries can wait. Between calls limbs 0 to 6 are in [0, 2^32).
constexpr int kLimbs = 8;
constexpr int kQuantum = 128;
constexpr double kLargest = 0x1p126;

// A value below kMostSplit is the sum of three integers of at most 46 bits, of quanta 2^-36, 2^-82
// and 2^-128. Those of kMostPending values add up within 63 bits before they join the limbs.
constexpr int kParts = 3;
constexpr int kPartBits = 46;
constexpr int kTopBits = kQuantum - (kParts - 1) * kPartBits;
constexpr double kMostSplit = double(std::int64_t(1) << (kPartBits - kTopBits - 1));
constexpr std::int64_t kMostPending = std::int64_t(1) << 17;

// Sums of groups: kLimbs limbs for each group, and kParts rows with an integer for each group that
// must still join the limbs. The parts are null if there are too many groups for them.
struct ExactSums {
  std::int64_t *limbs, *parts;
  std::int64_t groups;
  std::int64_t pending;  // the most values that are in the integers of a group
};

namespace {  // each instruction set keeps its own copy

// Adds sign * magnitude * 2^position quanta, for a sign of 0 or -1 and a magnitude below 2^63.
inline void add(std::int64_t* limbs, std::uint64_t magnitude, std::int64_t sign, int position) {
  const int shift = position & 31;
  const std::uint64_t low = (magnitude & 0xffffffff) << shift;
  const std::uint64_t high = ((magnitude >> 32) << shift) + (low >> 32);
  const auto with_sign = [sign](std::uint64_t part) { return (std::int64_t(part) ^ sign) - sign; };
  const int first = position >> 5;
  limbs[first] += with_sign(low & 0xffffffff);
  limbs[first + 1] += with_sign(high & 0xffffffff);
  // Nothing below kLargest reaches past the last limb: what is added there by the minimum is zero.
  limbs[first + 2 < kLimbs ? first + 2 : kLimbs - 1] += with_sign(high >> 32);
}

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
  add(limbs, mantissa, std::int64_t(bits) >> 63, position);
}

inline void add(std::int64_t* limbs, std::int64_t value, int position) {
  const std::int64_t sign = value >> 63;
  add(limbs, std::uint64_t((value ^ sign) - sign), sign, position);
}

inline void carry(std::int64_t* limbs) {
  for (int i = 0; i + 1 < kLimbs; ++i) {
    limbs[i + 1] += limbs[i] >> 32;
    limbs[i] &= 0xffffffff;
  }
}

// Adds the parts to the limbs, and sets them to zero.
inline void settle(ExactSums& sums) {
  for (std::int64_t g = 0; g < sums.groups; ++g) {
    std::int64_t* const limbs = sums.limbs + kLimbs * g;
    for (int p = 0; p < kParts; ++p) {
      std::int64_t& part = sums.parts[p * sums.groups + g];
      if (part) add(limbs, part, (kParts - 1 - p) * kPartBits);
      part = 0;
    }
    carry(limbs);
  }
  sums.pending = 0;
}

}  // namespace
}  // namespace plogq
