// Prefix codes: the lengths of Huffman's code, and streams of words of any binary code.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace plogq {

// Huffman's word lengths of n >= 2 weights in ascending order, with `base` digits. Of equal weights
// a symbol is merged before a merged node, which keeps the lengths as even as can be (Huffman 1952;
// two queues instead of a heap: van Leeuwen 1976). The first merge takes fewer than `base` nodes if
// otherwise the last merge could not take `base` nodes.
inline void huffman_lengths(const double* weights, std::int64_t n, std::int64_t base,
                            std::int64_t* lengths) {
  std::vector<double> merged;
  std::vector<std::int64_t> symbol_parent(n), merged_parent;
  std::int64_t symbol = 0, node = 0;  // the next of each queue
  std::int64_t take = 2 + (n - 2) % (base - 1);
  while ((n - symbol) + (std::int64_t(merged.size()) - node) > 1) {
    const std::int64_t parent = merged.size();
    double sum = 0;
    for (std::int64_t i = 0; i < take; ++i) {
      if (symbol < n && (node == parent || weights[symbol] <= merged[node])) {
        sum += weights[symbol];
        symbol_parent[symbol++] = parent;
      } else {
        sum += merged[node];
        merged_parent[node++] = parent;
      }
    }
    merged.push_back(sum);
    merged_parent.push_back(-1);
    take = base;
  }
  std::vector<std::int64_t> depth(merged.size());
  for (std::int64_t i = std::int64_t(merged.size()) - 2; i >= 0; --i)
    depth[i] = depth[merged_parent[i]] + 1;
  for (std::int64_t i = 0; i < n; ++i) lengths[i] = depth[symbol_parent[i]] + 1;
}

constexpr int kLongestWord = 56;  // bits: 64 minus up to 7 of a byte that has begun

// Words by symbol: bits in the low end, most significant first.
struct Words {
  const std::uint64_t* bits;
  const std::uint8_t* lengths;
  std::int64_t count;
};

inline void store(std::uint8_t* at, std::uint64_t window) {  // big-endian
  if constexpr (std::endian::native == std::endian::little) window = __builtin_bswap64(window);
  std::memcpy(at, &window, 8);
}

inline std::uint64_t load(const std::uint8_t* at) {
  std::uint64_t window;
  std::memcpy(&window, at, 8);
  return std::endian::native == std::endian::little ? __builtin_bswap64(window) : window;
}

// Gives the bits that the symbols take, or -1 - i for the first symbol i without a word.
template <class Symbol>
std::int64_t encoded_bits(const Words& words, const Symbol* symbols, std::int64_t n) {
  std::int64_t bits = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (std::uint64_t(symbols[i]) >= std::uint64_t(words.count)) return -1 - i;
    bits += words.lengths[symbols[i]];
  }
  return bits;
}

// Writes the words; `out` holds the encoded bits and eight bytes more.
template <class Symbol>
void encode(const Words& words, const Symbol* symbols, std::int64_t n, std::uint8_t* out) {
  std::uint64_t window = 0;  // what is not written yet, at its high end
  int fill = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t word = words.bits[symbols[i]];
    const int length = words.lengths[symbols[i]];
    fill += length;
    window |= word << (64 - fill);
    store(out, window);
    out += fill >> 3;
    window <<= fill & ~7;
    fill &= 7;
  }
  store(out, window);
}

// Finds the word that begins a window of bits (the first bit is at the high end): by its first bits
// if the word is short, else among all words in the order of their bits.
class WordTable {
 public:
  static constexpr int kDirectBits = 12;  // 16 KiB of entries stay in the cache

  struct Entry {
    std::uint32_t symbol;
    int length;  // 0: no word
  };

  explicit WordTable(const Words& words) : direct_(std::size_t(1) << kDirectBits) {
    for (std::int64_t s = 0; s < words.count; ++s) {
      const int length = words.lengths[s];
      const std::uint64_t bits = words.bits[s] << (64 - length);
      sorted_.push_back({bits, {std::uint32_t(s), length}});
      if (length <= kDirectBits && s < kMostDirect)
        std::fill_n(direct_.begin() + (bits >> (64 - kDirectBits)),
                    std::size_t(1) << (kDirectBits - length), std::uint32_t(s << 4 | length));
    }
    std::sort(sorted_.begin(), sorted_.end(),
              [](const Sorted& a, const Sorted& b) { return a.bits < b.bits; });
  }

  // The symbol and, in the low four bits, the length of a short word; 0 if none begins so.
  std::uint32_t find_short(std::uint64_t window) const {
    return direct_[window >> (64 - kDirectBits)];
  }

  Entry find(std::uint64_t window) const {
    if (const auto e = find_short(window)) return {e >> 4, int(e & 15)};
    const auto after =
        std::upper_bound(sorted_.begin(), sorted_.end(), window,
                         [](std::uint64_t bits, const Sorted& e) { return bits < e.bits; });
    if (after == sorted_.begin()) return {0, 0};
    const Sorted& e = after[-1];
    return (window ^ e.bits) >> (64 - e.entry.length) ? Entry{0, 0} : e.entry;
  }

 private:
  static constexpr std::int64_t kMostDirect = std::int64_t(1) << 28;
  struct Sorted {
    std::uint64_t bits;
    Entry entry;
  };
  std::vector<Sorted> sorted_;
  std::vector<std::uint32_t> direct_;
};

// Reads n symbols; gives the bits they took, or -1 - i where no word, or none that ends within
// `bits`, comes next. `data` has eight bytes more than the bits need.
template <class Symbol>
std::int64_t decode(const WordTable& table, const std::uint8_t* data, std::int64_t bits,
                    Symbol* symbols, std::int64_t n) {
  constexpr int kAtOnce = kLongestWord / WordTable::kDirectBits;
  std::int64_t at = 0, i = 0;
  while (i < n) {
    if (at >= bits) return -1 - i;
    std::uint64_t window = load(data + (at >> 3)) << (at & 7);
    int in_row = 0;
    if (n - i >= kAtOnce && bits - at >= kLongestWord) {
      for (; in_row < kAtOnce; ++in_row) {
        const auto e = table.find_short(window);
        if (!e) break;
        symbols[i++] = Symbol(e >> 4);
        window <<= e & 15;
        at += e & 15;
      }
      if (in_row) continue;
    }
    const auto e = table.find(window);
    if (!e.length) return -1 - i;
    symbols[i++] = Symbol(e.symbol);
    at += e.length;
  }
  return at <= bits ? at : -n;  // -n: the last word ends beyond `bits`
}

}  // namespace plogq
