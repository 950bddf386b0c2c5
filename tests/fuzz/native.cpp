// The native decoders under any bytes: libFuzzer calls LLVMFuzzerTestOneInput. What must hold is
// checked by `hold`, which ends the process; the sanitizers see to the rest.
//
// With -DPLOGQ_REPLAY it is a program that reads the files it is given, for compilers that have no
// libFuzzer.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <vector>

#include "order_k.hpp"
#include "prefix_code.hpp"
#include "quantise.hpp"

namespace {

void hold(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", law);
  std::abort();
}

// Takes numbers from the front of the input; zeros follow its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  std::uint8_t byte() { return at_ < end_ ? *at_++ : 0; }
  std::size_t left() const { return std::size_t(end_ - at_); }
  std::vector<std::uint8_t> rest() { return {at_, end_}; }
  template <class T>
  T number() {
    std::array<std::uint8_t, sizeof(T)> bytes;
    for (auto& each : bytes) each = byte();
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

 private:
  const std::uint8_t *at_, *end_;
};

std::vector<std::uint8_t> padded(std::vector<std::uint8_t> bytes) {
  bytes.resize(bytes.size() + 8);
  bytes.shrink_to_fit();  // so that a read beyond it is seen
  return bytes;
}

// Words of any lengths and bits, prefix free or not, over any data.
template <class Symbol>
void any_words(Input in) {
  const std::int64_t count = 1 + in.byte() % 64, n = in.byte() * 4;
  std::vector<std::uint64_t> bits(count);
  std::vector<std::uint8_t> lengths(count);
  for (std::int64_t s = 0; s < count; ++s) {
    lengths[s] = 1 + in.byte() % plogq::kLongestWord;
    bits[s] = in.number<std::uint64_t>() & ((std::uint64_t(1) << lengths[s]) - 1);
  }
  const plogq::Words words{bits.data(), lengths.data(), count};
  const auto data = in.rest();
  const std::int64_t size = 8 * std::int64_t(data.size());
  std::vector<Symbol> symbols(n);
  const std::int64_t taken =
      plogq::decode(plogq::WordTable(words), padded(data).data(), size, symbols.data(), n);
  if (taken < 0) return hold(taken >= -1 - n, "a symbol at fault is one of those asked for");
  hold(taken <= size, "no more bits are taken than there are");
  hold(plogq::encoded_bits(words, symbols.data(), n) == taken, "words take the bits of their words");
  std::vector<std::uint8_t> again((taken + 7) / 8 + 8);
  plogq::encode(words, symbols.data(), n, again.data());
  for (std::int64_t i = 0; i < taken; ++i)
    hold(((again[i / 8] ^ data[i / 8]) >> (7 - i % 8) & 1) == 0, "what was read is written again");
}

// The lengths of Huffman's code cost what a heap says, and its words come back.
void huffman(Input in) {
  const std::int64_t n = 2 + in.byte() % 60, base = 2 + in.byte() % 4;
  std::vector<double> weights(n);
  for (double& each : weights) each = 1 + in.number<std::uint16_t>();
  std::sort(weights.begin(), weights.end());
  std::vector<std::int64_t> lengths(n);
  plogq::huffman_lengths(weights.data(), n, base, lengths.data());
  std::priority_queue<double, std::vector<double>, std::greater<>> heap(weights.begin(),
                                                                        weights.end());
  while ((heap.size() - 1) % std::size_t(base - 1)) heap.push(0);
  double least = 0, cost = 0, kraft = 0;
  while (heap.size() > 1) {
    double sum = 0;
    for (std::int64_t i = 0; i < base; ++i) {
      sum += heap.top();
      heap.pop();
    }
    least += sum;
    heap.push(sum);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    cost += weights[i] * double(lengths[i]);
    kraft += std::pow(double(base), -double(lengths[i]));
  }
  hold(cost == least, "Huffman's code is optimal");
  hold(kraft <= 1 + 1e-12, "Kraft's inequality");
}

std::vector<std::uint8_t> decoded(int order, const std::vector<std::uint8_t>& data, std::size_t n) {
  plogq::ByteModel model(order);
  plogq::BitDecoder coder(data.data(), data.size());
  std::vector<std::uint8_t> out;
  while (out.size() < n && !coder.is_past_end()) {
    int byte = 0;
    for (int i = 0; i < 8; ++i) {
      const int bit = coder.decode(model.probability_of_one());
      model.update(bit);
      byte = 2 * byte + bit;
    }
    out.push_back(std::uint8_t(byte));
  }
  return out;
}

// Any bytes come back from their own code, and any bytes can be decoded.
void order_k(Input in, bool is_code) {
  const int order = in.byte() % (plogq::ByteModel::kMaxOrder + 1);
  const auto data = in.rest();
  if (is_code) {
    hold(decoded(order, data, 256).size() <= 256, "no more bytes come than are asked for");
    return;
  }
  plogq::ByteModel model(order);
  plogq::BitEncoder coder;
  for (const int byte : data) {
    for (int shift = 7; shift >= 0; --shift) {
      const int bit = byte >> shift & 1;
      coder.encode(bit, model.probability_of_one());
      model.update(bit);
    }
  }
  const double bits = coder.bits();
  const auto code = coder.finish();
  hold(8.0 * double(code.size()) < bits + 16, "a code is as long as it says");
  hold(decoded(order, code, data.size()) == data, "what is coded is decoded");
}

// A row's weights are whole, leave none out and sum to 2^24; what is no distribution is refused.
template <class In>
void rows_as_weights(Input in) {
  const bool logs = in.byte() & 1, from_bits = in.byte() & 1;
  const std::int64_t classes = 1 + in.byte() % 20, label = in.byte() % classes;
  std::vector<In> row(classes);
  double sum = 0;
  for (In& each : row) {
    each = from_bits ? in.number<In>() : In(in.number<std::uint16_t>());
    sum += double(each);
  }
  if (!logs && !from_bits && sum > 0)
    for (In& each : row) each = In(double(each) / sum);
  std::vector<float> weights(classes);
  std::vector<double> scratch(classes);
  double divergence = -1, surprisal = -1;
  const plogq::Predictions<In> given{row.data(), 1, classes, classes, 1, logs, 1e-3};
  const plogq::Quantised out{weights.data(), &divergence, &label, &surprisal};
  const bool is_refused = plogq::quantise(given, out, scratch.data()) == 0;
  bool is_good = true;
  In top = row[0];
  for (const In each : row) {
    is_good &= each == each && each <= std::numeric_limits<In>::max() && (logs || each >= 0);
    top = each > top ? each : top;
  }
  is_good &= top >= std::numeric_limits<In>::lowest();
  if (logs) hold(is_refused == !is_good, "logits are refused where they are no numbers");
  if (is_refused) return;
  hold(is_good, "what is no distribution is refused");
  double total = 0;
  for (const float each : weights) {
    hold(each >= 0 && each == std::floor(each), "weights are whole, and none is left out");
    total += double(each) + 1;
  }
  hold(total == double(plogq::kWhole), "weights sum to 2^24");
  hold(divergence >= 0 && divergence < 1, "rounding costs little");
  hold(surprisal >= 0, "no label costs less than nothing");
  const double share = (double(weights[label]) + 1) / double(plogq::kWhole);
  hold(surprisal > 14 || std::fabs(surprisal + std::log(share)) < 0.7, "a label costs its weight");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  switch (in.byte() % 7) {
    case 0:
      any_words<std::uint8_t>(in);
      break;
    case 1:
      any_words<std::uint32_t>(in);
      break;
    case 2:
      huffman(in);
      break;
    case 3:
      order_k(in, true);
      break;
    case 4:
      order_k(in, false);
      break;
    case 5:
      rows_as_weights<float>(in);
      break;
    default:
      rows_as_weights<double>(in);
  }
  return 0;
}

#ifdef PLOGQ_REPLAY
int main(int count, char** files) {
  for (int i = 1; i < count; ++i) {
    std::FILE* const file = std::fopen(files[i], "rb");
    if (!file) return 2;
    std::vector<std::uint8_t> bytes(1 << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%d inputs\n", count - 1);
}
#endif
