// An adaptive code of bytes: a model that learns from past bytes, and a range coder.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace plogq {

// A byte is eight binary decisions, most significant bit first. For each decision, each order j from
// 0 to k has counted how often it fell 0 and 1 after the last j bytes and the bits of this byte so
// far, and corrects the estimate of the order below:
//   p_j = (n_1 + p_{j-1}) / (n_0 + n_1 + 1),  p_{-1} = 1/2.
// Order 0 is the estimator of Krichevsky and Trofimov. Only sums and quotients of doubles are used,
// so that every machine gets the same probabilities.
class ByteModel {
 public:
  static constexpr int kMaxOrder = 6;
  static constexpr int kPrecision = 16;  // probabilities are in units of 2^-16

  explicit ByteModel(int order) : order_(order), contexts_(order + 1) { begin_nibble(); }

  // P(1) of the next decision, in [1, 2^16 - 1].
  std::uint32_t probability_of_one() const {
    double p = 0.5;
    for (const Counts* block : blocks_used()) {
      if (!block) continue;
      const auto& n = block[node_];
      p = (n[1] + p) / (n[0] + n[1] + 1);
    }
    const auto scaled = std::uint32_t(p * (1 << kPrecision));
    return scaled == 0 ? 1 : scaled >= (1 << kPrecision) ? (1 << kPrecision) - 1 : scaled;
  }

  void update(int bit) {
    for (Counts* block : blocks_used()) {
      if (!block) continue;
      auto& n = block[node_];
      if (++n[bit] == 0xffff) {
        n[0] /= 2;
        n[1] /= 2;
      }
    }
    node_ = 2 * node_ + bit;
    if (node_ < 16) return;
    const std::uint64_t nibble = node_ & 15;
    if (low_nibble_) {
      history_ = history_ << 8 | high_ << 4 | nibble;
    } else {
      high_ = nibble;
    }
    low_nibble_ = !low_nibble_;
    begin_nibble();
  }

 private:
  using Counts = std::array<std::uint16_t, 2>;
  using Block = std::array<Counts, 16>;  // of the 15 decisions within a nibble, from node 1 on

  // All blocks of one order, found by the bytes before and, in the second half of a byte, its first
  // nibble.
  class Contexts {
   public:
    // Gives null if the context is new and there is no more room: its order is then left out.
    Counts* find(std::uint64_t key, bool may_grow) {
      if (2 * blocks_.size() >= slots_.size()) grow();
      for (std::uint64_t i = hash(key) & mask_;; i = (i + 1) & mask_) {
        Slot& slot = slots_[i];
        if (slot.block == 0) {
          if (!may_grow) return nullptr;
          blocks_.emplace_back();
          slot = {key, std::uint32_t(blocks_.size())};
        } else if (slot.key != key) {
          continue;
        }
        return blocks_[slot.block - 1].data();
      }
    }
    std::size_t size() const { return blocks_.size(); }

   private:
    struct Slot {
      std::uint64_t key = 0;
      std::uint32_t block = 0;  // its number, from 1
    };
    static std::uint64_t hash(std::uint64_t key) {
      key *= 0x9e3779b97f4a7c15;
      return key ^ key >> 29;
    }
    void grow() {
      std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
      old.swap(slots_);
      mask_ = slots_.size() - 1;
      for (const Slot& slot : old) {
        if (!slot.block) continue;
        std::uint64_t i = hash(slot.key) & mask_;
        while (slots_[i].block) i = (i + 1) & mask_;
        slots_[i] = slot;
      }
    }
    std::vector<Slot> slots_;
    std::vector<Block> blocks_;
    std::uint64_t mask_ = 0;
  };

  static constexpr std::size_t kMostBlocks = std::size_t(1) << 22;  // 64 bytes each

  struct Used {
    Counts* const* first;
    Counts* const* last;
    Counts* const* begin() const { return first; }
    Counts* const* end() const { return last; }
  };
  Used blocks_used() const { return {blocks_.data(), blocks_.data() + order_ + 1}; }

  void begin_nibble() {
    node_ = 1;
    for (int j = 0; j <= order_; ++j) {
      const std::uint64_t bytes = history_ & ((std::uint64_t(1) << 8 * j) - 1);
      const std::uint64_t key = bytes << 5 | (low_nibble_ ? 16 | high_ : 0);
      const std::size_t before = contexts_[j].size();
      blocks_[j] = contexts_[j].find(key, total_ < kMostBlocks);
      total_ += contexts_[j].size() - before;
    }
  }

  int order_;
  std::vector<Contexts> contexts_;
  std::array<Counts*, kMaxOrder + 1> blocks_{};
  std::size_t total_ = 0;
  std::uint64_t history_ = 0, high_ = 0;
  bool low_nibble_ = false;
  int node_ = 1;
};

// A range coder (Martin 1979) with 64 bits of state: its rounding is below 2^-16 of a decision.
class BitEncoder {
 public:
  void encode(int bit, std::uint32_t one) {
    const std::uint64_t share = (range_ >> ByteModel::kPrecision) * one;
    if (bit) {
      range_ = share;
    } else {
      low_ += share;
      if (low_ < share) carry();
      range_ -= share;
    }
    while (range_ < std::uint64_t(1) << 32) {
      for (int i = 0; i < 4; ++i) shift_byte();
      range_ <<= 32;
    }
  }
  // Writes the fewest bytes that are unambiguous if zeros follow. Zeros that are already written
  // stay: without them, a decoder could not tell a long cheap run from data that is cut short.
  std::vector<std::uint8_t> finish() {
    const std::uint64_t last = low_ + (range_ - 1);
    const bool wraps = last < low_;
    for (int bytes = 0; bytes <= 8; ++bytes) {
      const std::uint64_t rest = bytes == 8 ? 0 : ~std::uint64_t(0) >> 8 * bytes;
      std::uint64_t point = low_ + rest;
      const bool point_wraps = point < low_;
      point &= ~rest;
      // point is the first multiple at or above low; it must not pass the last.
      if (point_wraps ? !wraps || point > last : !wraps && point > last) continue;
      if (point_wraps) carry();
      low_ = point;
      for (int i = 0; i < bytes; ++i) shift_byte();
      break;
    }
    return std::move(bytes_);
  }
  // Gives the bits used so far: the bytes that are written, and how far the range has narrowed.
  double bits() const { return 8.0 * double(bytes_.size()) + 64 - std::log2(double(range_)); }

 private:
  void shift_byte() {
    bytes_.push_back(std::uint8_t(low_ >> 56));
    low_ <<= 8;
  }
  void carry() {
    std::size_t i = bytes_.size();
    while (++bytes_[--i] == 0) {
    }
  }
  std::uint64_t low_ = 0, range_ = ~std::uint64_t(0);
  std::vector<std::uint8_t> bytes_;
};

class BitDecoder {
 public:
  BitDecoder(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
    for (int i = 0; i < 8; ++i) shift_byte();
  }
  int decode(std::uint32_t one) {
    const std::uint64_t share = (range_ >> ByteModel::kPrecision) * one;
    const int bit = offset_ < share;
    if (bit) {
      range_ = share;
    } else {
      offset_ -= share;
      range_ -= share;
    }
    while (range_ < std::uint64_t(1) << 32) {
      for (int i = 0; i < 4; ++i) shift_byte();
      range_ <<= 32;
    }
    return bit;
  }
  // Tells whether more was read past the end than an encoder may leave out, eight bytes.
  bool is_past_end() const { return at_ > size_ + 8; }

 private:
  void shift_byte() {
    offset_ = offset_ << 8 | (at_ < size_ ? data_[at_] : 0);
    ++at_;
  }
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
  std::uint64_t offset_ = 0, range_ = ~std::uint64_t(0);
};

}  // namespace plogq
