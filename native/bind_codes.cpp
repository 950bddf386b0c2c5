// The codes, for Python.
#include "bind_codes.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "order_k.hpp"
#include "prefix_code.hpp"
#include "quantise.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, class... Rest>
using Array = nb::ndarray<T, nb::device::cpu, Rest...>;
template <class T>
using Row = Array<T, nb::ndim<1>, nb::c_contig>;
template <class T>
using Matrix = Array<T, nb::ndim<2>, nb::c_contig>;

void require(bool fits) {
  if (!fits) throw nb::value_error("arguments do not fit together");
}

template <class In>
int64_t quantise(Array<const In, nb::ndim<2>> predictions, bool logs, double tolerance,
                 std::optional<Row<const int64_t>> labels, Matrix<float> weights,
                 Row<double> divergence, std::optional<Row<double>> surprisal) {
  const int64_t rows = predictions.shape(0), classes = predictions.shape(1);
  require(classes >= 1 && classes < plogq::kWhole);
  require(int64_t(weights.shape(0)) == rows && int64_t(weights.shape(1)) == classes &&
          int64_t(divergence.shape(0)) == rows && bool(labels) == bool(surprisal));
  if (labels) {
    require(int64_t(labels->shape(0)) == rows && int64_t(surprisal->shape(0)) == rows);
    for (int64_t i = 0; i < rows; ++i)
      require(labels->data()[i] >= 0 && labels->data()[i] < classes);
  }
  const plogq::Predictions<In> in{predictions.data(), rows, classes, predictions.stride(0),
                                  predictions.stride(1), logs, tolerance};
  const plogq::Quantised out{weights.data(), divergence.data(), labels ? labels->data() : nullptr,
                             surprisal ? surprisal->data() : nullptr};
  std::vector<double> row(classes);
  const plogq::WithoutGil other_threads_run;
  return plogq::quantise(in, out, row.data());
}

template <class In>
void add_quantise(nb::module_& module) {
  module.def("quantise", &quantise<In>, "predictions"_a.noconvert(), "logs"_a, "tolerance"_a,
             "labels"_a.noconvert().none(), "weights"_a.noconvert(), "divergence"_a.noconvert(),
             "surprisal"_a.noconvert().none());
}

void huffman_lengths(Row<const double> ascending, int64_t base, Row<int64_t> lengths) {
  const int64_t n = ascending.shape(0);
  require(n >= 2 && base >= 2 && int64_t(lengths.shape(0)) == n);
  const plogq::WithoutGil other_threads_run;
  plogq::huffman_lengths(ascending.data(), n, base, lengths.data());
}

plogq::Words words_of(const Row<const uint64_t>& bits, const Row<const uint8_t>& lengths) {
  const int64_t count = bits.shape(0);
  require(int64_t(lengths.shape(0)) == count && count <= int64_t(UINT32_MAX));
  for (int64_t s = 0; s < count; ++s) {
    const int length = lengths.data()[s];
    require(length >= 1 && length <= plogq::kLongestWord && bits.data()[s] >> length == 0);
  }
  return {bits.data(), lengths.data(), count};
}

// Gives the number of bits of the symbols' words, and the words as bytes.
template <class Symbol>
nb::object encode_words(Row<const uint64_t> bits, Row<const uint8_t> lengths,
                        Row<const Symbol> symbols) {
  const plogq::Words words = words_of(bits, lengths);
  const int64_t n = symbols.shape(0);
  int64_t size;
  std::vector<uint8_t> out;
  {
    const plogq::WithoutGil other_threads_run;
    size = plogq::encoded_bits(words, symbols.data(), n);
    if (size >= 0) {
      out.resize((size + 7) / 8 + 8);
      plogq::encode(words, symbols.data(), n, out.data());
    }
  }
  require(size >= 0);
  return nb::make_tuple(size, nb::bytes(out.data(), (size + 7) / 8));
}

// Fills `symbols`; gives the bits taken, or -1 - i where no symbol i can be read.
template <class Symbol>
int64_t decode_words(Row<const uint64_t> bits, Row<const uint8_t> lengths, nb::bytes data,
                     int64_t size_in_bits, Row<Symbol> symbols) {
  const plogq::Words words = words_of(bits, lengths);
  const auto* first = static_cast<const uint8_t*>(data.data());
  const int64_t size = data.size();
  require(size_in_bits >= 0 && (size_in_bits + 7) / 8 == size);
  const plogq::WithoutGil other_threads_run;
  std::vector<uint8_t> padded(size + 8);
  std::copy(first, first + size, padded.begin());
  return plogq::decode(plogq::WordTable(words), padded.data(), size_in_bits, symbols.data(),
                       int64_t(symbols.shape(0)));
}

template <class Symbol>
void add_words(nb::module_& module) {
  module.def("encode_words", &encode_words<Symbol>, "bits"_a.noconvert(), "lengths"_a.noconvert(),
             "symbols"_a.noconvert());
  module.def("decode_words", &decode_words<Symbol>, "bits"_a.noconvert(), "lengths"_a.noconvert(),
             "data"_a, "size_in_bits"_a, "symbols"_a.noconvert());
}

bool is_order(int order) { return order >= 0 && order <= plogq::ByteModel::kMaxOrder; }

class OrderEncoder {
 public:
  explicit OrderEncoder(int order) : model_((require(is_order(order)), order)) {}

  void encode(nb::bytes data) {
    const auto* first = static_cast<const uint8_t*>(data.data());
    const size_t size = data.size();
    const plogq::WithoutGil other_threads_run;
    for (size_t i = 0; i < size; ++i) {
      for (int shift = 7; shift >= 0; --shift) {
        const int bit = first[i] >> shift & 1;
        coder_.encode(bit, model_.probability_of_one());
        model_.update(bit);
      }
    }
  }

  double bits() const { return coder_.bits(); }

  nb::bytes finish() {
    const auto bytes = coder_.finish();
    return nb::bytes(bytes.data(), bytes.size());
  }

 private:
  plogq::ByteModel model_;
  plogq::BitEncoder coder_;
};

class OrderDecoder {
 public:
  OrderDecoder(int order, nb::bytes data)
      : model_((require(is_order(order)), order)),
        bytes_(static_cast<const uint8_t*>(data.data()),
               static_cast<const uint8_t*>(data.data()) + data.size()),
        coder_(bytes_.data(), bytes_.size()) {}

  // Gives the next bytes, or fewer if the data ends before.
  nb::bytes decode(int64_t n) {
    std::vector<uint8_t> out;
    {
      const plogq::WithoutGil other_threads_run;
      while (int64_t(out.size()) < n && !coder_.is_past_end()) {
        int byte = 0;
        for (int i = 0; i < 8; ++i) {
          const int bit = coder_.decode(model_.probability_of_one());
          model_.update(bit);
          byte = 2 * byte + bit;
        }
        out.push_back(uint8_t(byte));
      }
    }
    return nb::bytes(out.data(), out.size());
  }

 private:
  plogq::ByteModel model_;
  std::vector<uint8_t> bytes_;
  plogq::BitDecoder coder_;
};

}  // namespace

void bind_codes(nb::module_& module) {
  add_quantise<float>(module);
  add_quantise<double>(module);
  module.def("huffman_lengths", &huffman_lengths, "ascending"_a.noconvert(), "base"_a,
             "lengths"_a.noconvert());
  add_words<uint8_t>(module);
  add_words<uint32_t>(module);
  nb::class_<OrderEncoder>(module, "OrderEncoder")
      .def(nb::init<int>(), "order"_a)
      .def("encode", &OrderEncoder::encode, "data"_a)
      .def("bits", &OrderEncoder::bits)
      .def("finish", &OrderEncoder::finish);
  nb::class_<OrderDecoder>(module, "OrderDecoder")
      .def(nb::init<int, nb::bytes>(), "order"_a, "data"_a)
      .def("decode", &OrderDecoder::decode, "n"_a);
}
