// The rows and the sums, for Python. bind_codes.cpp has the codes, bind_tensors.cpp a loss of plain
// tensors in one call, bind_jax.cpp what XLA calls; no other file knows Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "batch.hpp"
#include "bind_codes.hpp"
#include "bind_jax.hpp"
#include "bind_tensors.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Number = nb::dlpack::dtype_code;
template <class T, class... Rest>
using Array = nb::ndarray<T, nb::device::cpu, Rest...>;
template <class T>
using Row = Array<T, nb::ndim<1>, nb::c_contig>;
using AnyArray = nb::ndarray<nb::ro, nb::device::cpu>;  // of any dtype
using AnyOutput = nb::ndarray<nb::device::cpu>;
using AnyBlock = nb::ndarray<nb::ro, nb::device::cpu, nb::c_contig>;
using AnyBlockOutput = nb::ndarray<nb::device::cpu, nb::c_contig>;
template <class T>
using Optional = std::optional<T>;

const std::vector<const plogq::InstructionSet*> kInstructionSets = plogq::instruction_sets();

// Refuses without details; plogq.kernels.rows then finds the argument at fault.
void require(bool fits) {
  if (!fits) throw nb::value_error("arguments do not fit together");
}

std::optional<plogq::Type> type_of(nb::dlpack::dtype dtype) {
  const auto is = [&](Number code, int bits) {
    return dtype.code == uint8_t(code) && dtype.bits == bits && dtype.lanes == 1;
  };
  if (is(Number::Float, 32)) return plogq::Type::kFloat;
  if (is(Number::Float, 64)) return plogq::Type::kDouble;
  if (is(Number::Bfloat, 16)) return plogq::Type::kBFloat16;
  if (is(Number::Float, 16)) return plogq::Type::kFloat16;
  return {};
}

template <class T>
bool is_aligned(const T* p) {
  return reinterpret_cast<uintptr_t>(p) % alignof(T) == 0;
}

// Gives the addresses of the first byte and of the end.
template <class Matrix>
std::pair<intptr_t, intptr_t> extent(const Matrix& m) {
  intptr_t low = reinterpret_cast<intptr_t>(m.data()), high = low + m.itemsize();
  for (size_t axis = 0; axis < m.ndim(); ++axis) {
    const intptr_t reach = (intptr_t(m.shape(axis)) - 1) * m.stride(axis) * intptr_t(m.itemsize());
    (reach < 0 ? low : high) += reach;
  }
  return {low, high};
}

bool overlap(const AnyOutput& out, const AnyArray& in) {
  if (!out.size()) return false;
  const auto [a, b] = extent(out);
  const auto [c, d] = extent(in);
  return a < d && c < b;
}

bool same_memory(const AnyOutput& out, const AnyArray& in) {
  bool same = out.data() == in.data();
  for (size_t axis = 0; axis < in.ndim(); ++axis) same &= out.stride(axis) == in.stride(axis);
  return same;
}

// Gives the strides of images, rows and classes.
template <class Logits>
std::array<int64_t, 3> strides_of(const Logits& m) {
  if (m.ndim() == 2) return {0, m.stride(0), m.stride(1)};
  return {m.stride(0), m.stride(1), m.stride(2)};
}

// Tells whether two arrays have the same shape.
template <class Logits>
bool is_like(const Logits& m, const AnyArray& logits) {
  bool same = m.ndim() == logits.ndim();
  for (size_t axis = 0; same && axis < logits.ndim(); ++axis)
    same = m.shape(axis) == logits.shape(axis);
  return same;
}

struct RowArguments {
  AnyArray logits;
  Optional<Array<const int64_t, nb::ndim<1>>> target;
  Optional<AnyArray> soft;
  Optional<AnyArray> weight;
  Optional<Row<const bool>> keep;
  Optional<Row<const double>> row_weight;
  Optional<AnyOutput> gradient;
  Optional<AnyOutput> statistics;
  Optional<Row<int64_t>> argmax;
  Optional<double> denominator;
  bool by_class;
};

// The loss of the rows divided by the denominator, that denominator, and the first row at fault by
// its target and by its logits.
using RowAnswer = std::tuple<double, double, int64_t, int64_t>;

template <class In, class A>
RowAnswer run_rows(const RowArguments& p, plogq::Batch<In, A> b, int64_t threads,
                   const plogq::InstructionSet& set) {
  const AnyArray& x = p.logits;
  const size_t classes = x.shape(x.ndim() - 1);
  const size_t images = x.ndim() == 2 ? 1 : x.shape(0), image = x.shape(x.ndim() - 2);
  const size_t n = images * image;
  b.logits = static_cast<const In*>(x.data());
  std::tie(b.image_stride, b.row_stride, b.class_stride) = std::tuple_cat(strides_of(x));
  b.rows = n;
  b.classes = classes;
  b.image = image;
  require(is_aligned(b.logits));
  if (p.target) {
    require(p.target->shape(0) == n);
    b.target = p.target->data();
    b.target_stride = p.target->stride(0);
  }
  if (p.soft) {
    const auto type = type_of(p.soft->dtype());
    require(type && is_like(*p.soft, x));
    b.soft = p.soft->data();
    b.soft_type = *type;
    std::tie(b.soft_image_stride, b.soft_row_stride, b.soft_class_stride) =
        std::tuple_cat(strides_of(*p.soft));
  }
  if (p.weight) {
    require(p.weight->dtype() == nb::dtype<A>() && p.weight->ndim() == 1 &&
            p.weight->shape(0) == classes && p.weight->stride(0) == 1);
    b.weight = static_cast<const A*>(p.weight->data());
  }
  if (p.keep) {
    require(p.keep->shape(0) == n);
    b.keep = p.keep->data();
  }
  if (p.row_weight) {
    const size_t weights = p.row_weight->shape(0);
    require(weights == 1 || weights == n);
    b.row_weight = p.row_weight->data();
    b.row_weight_stride = weights == 1 ? 0 : 1;
  }
  if (p.gradient) {
    const AnyOutput& g = *p.gradient;
    require(g.dtype() == x.dtype() && is_like(g, x));
    require(!overlap(g, x) || same_memory(g, x));
    require(!p.soft || !overlap(g, *p.soft));
    b.gradient = static_cast<In*>(g.data());
    std::tie(b.gradient_image_stride, b.gradient_row_stride, b.gradient_class_stride) =
        std::tuple_cat(strides_of(g));
    require(is_aligned(b.gradient));
    for (size_t axis = 0; g.size() && axis < g.ndim(); ++axis)
      require(g.shape(axis) < 2 || g.stride(axis));  // each element has a place of its own
  }
  std::unique_ptr<A[]> losses;
  if (p.statistics) {
    const AnyOutput& figures = *p.statistics;
    require(figures.dtype() == nb::dtype<A>() && figures.ndim() == 2 && figures.shape(1) == n);
    require(figures.shape(0) == 3 || figures.shape(0) == 5);
    A* const s = static_cast<A*>(figures.data());
    b.max = s;
    b.rest = s + n;
    b.loss = s + 2 * n;
    if (figures.shape(0) == 5) {
      b.entropy = s + 3 * n;
      b.rest_squares = s + 4 * n;
    }
  } else {
    require(!b.check_logits);
    losses.reset(new A[n]);
    b.loss = losses.get();
  }
  if (p.argmax) {
    require(p.argmax->shape(0) == n);
    b.argmax = p.argmax->data();
  }
  const plogq::WithoutGil other_threads_run;
  const plogq::TargetsFound targets = plogq::look_at_targets(b, p.by_class, set);
  const double weight = p.denominator.value_or(targets.weight), denominator = weight ? weight : 1;
  if (targets.bad >= 0) return {0, denominator, targets.bad, -1};
  b.scale /= denominator;
  const plogq::RowsFound found = plogq::run(b, threads, set);
  return {found.loss / denominator, denominator, found.bad_target, found.bad_logits};
}

// The losses, statistics and gradients of rows.
RowAnswer rows(AnyArray logits, Optional<Array<const int64_t, nb::ndim<1>>> target,
               Optional<AnyArray> soft, Optional<AnyArray> weight, Optional<Row<const bool>> keep,
               Optional<Row<const double>> row_weight, Optional<AnyOutput> gradient,
               Optional<AnyOutput> statistics, Optional<Row<int64_t>> argmax,
               Optional<double> denominator, bool by_class, double scale,
               Optional<int64_t> ignore_index, double label_smoothing, double gamma,
               double temperature, double z_loss, double tolerance, bool check_logits,
               int64_t threads, int instruction_set) {
  require((logits.ndim() == 2 || logits.ndim() == 3) && logits.shape(logits.ndim() - 1) > 0);
  const auto fill = [&](auto batch) {
    batch.has_ignore_index = target && ignore_index;
    batch.ignore_index = ignore_index.value_or(0);
    batch.label_smoothing = label_smoothing;
    batch.gamma = gamma;
    batch.temperature = temperature;
    batch.z_loss = z_loss;
    batch.tolerance = tolerance;
    batch.scale = scale;
    batch.check_logits = check_logits;
    const RowArguments arguments{logits,   target,     soft,   weight,      keep,    row_weight,
                                 gradient, statistics, argmax, denominator, by_class};
    return run_rows(arguments, batch, threads, *kInstructionSets.at(instruction_set));
  };
  const auto type = type_of(logits.dtype());
  require(type.has_value());
  switch (*type) {
    case plogq::Type::kDouble:
      return fill(plogq::Batch<double, double>{});
    case plogq::Type::kBFloat16:
      return fill(plogq::Batch<plogq::BFloat16, float>{});
    case plogq::Type::kFloat16:
      return fill(plogq::Batch<plogq::Float16, float>{});
    default:
      if (statistics && statistics->dtype() == nb::dtype<double>())
        return fill(plogq::Batch<float, double>{});
      return fill(plogq::Batch<float, float>{});
  }
}

template <class In, class A>
plogq::ElementsFound run_elements(plogq::Elements<In, A> b, const AnyBlock& logits,
                                  const AnyBlock& target, const Optional<AnyBlock>& weight,
                                  const Optional<AnyBlock>& element_weight,
                                  const Optional<AnyBlockOutput>& losses,
                                  const Optional<AnyBlockOutput>& gradient, int64_t threads,
                                  const plogq::InstructionSet& set) {
  const auto fits = [&](const auto& other) {
    bool same = other.ndim() == logits.ndim();
    for (size_t axis = 0; same && axis < logits.ndim(); ++axis)
      same = other.shape(axis) == logits.shape(axis);
    return same;
  };
  const auto apart = [](const auto& out, const auto& in) {
    const char *a = static_cast<const char*>(out.data()), *c = static_cast<const char*>(in.data());
    return a + out.nbytes() <= c || c + in.nbytes() <= a;
  };
  require(fits(target) && target.dtype() == logits.dtype());
  b.logits = static_cast<const In*>(logits.data());
  b.target = static_cast<const In*>(target.data());
  b.size = logits.size();
  if (element_weight) {
    require(fits(*element_weight) && element_weight->dtype() == nb::dtype<A>());
    b.element_weight = static_cast<const A*>(element_weight->data());
  }
  if (losses) {
    require(fits(*losses) && losses->dtype() == nb::dtype<A>());
    require(apart(*losses, logits) && apart(*losses, target));
    b.losses = static_cast<A*>(losses->data());
  }
  if (gradient) {
    require(fits(*gradient) && gradient->dtype() == logits.dtype());
    require(apart(*gradient, target) && (!losses || apart(*gradient, *losses)));
    require(apart(*gradient, logits) || gradient->data() == logits.data());
    require(!element_weight || apart(*gradient, *element_weight));
    b.gradient = static_cast<In*>(gradient->data());
  }
  // The weights are repeated, so that a vector of them can begin anywhere.
  std::vector<A> weights{1};
  if (weight) {
    require(weight->dtype() == nb::dtype<A>() && weight->ndim() == 1);
    require(weight->size() == 1 ||
            (logits.ndim() && weight->size() == logits.shape(logits.ndim() - 1)));
    const A* const w = static_cast<const A*>(weight->data());
    if (weight->size()) weights.assign(w, w + weight->size());
  }
  const int64_t distinct = weights.size();
  b.period = (plogq::kLongestVector + distinct - 1) / distinct * distinct;
  weights.resize(b.period + plogq::kLongestVector);
  for (size_t i = distinct; i < weights.size(); ++i) weights[i] = weights[i - distinct];
  b.weight = weights.data();
  const plogq::WithoutGil other_threads_run;
  return plogq::run(b, threads, set);
}

// The sum of the losses of elements, and the first target at fault.
std::pair<double, int64_t> elements(AnyBlock logits, AnyBlock target, Optional<AnyBlock> weight,
                                    Optional<AnyBlock> element_weight, double scale,
                                    Optional<AnyBlockOutput> losses,
                                    Optional<AnyBlockOutput> gradient, bool validate,
                                    int64_t threads, int instruction_set) {
  const auto type = type_of(logits.dtype());
  require(type.has_value());
  const auto run = [&](auto batch) {
    batch.scale = scale;
    batch.validate = validate;
    const auto found = run_elements(batch, logits, target, weight, element_weight, losses, gradient,
                                    threads, *kInstructionSets.at(instruction_set));
    return std::pair{found.loss, found.bad_target};
  };
  switch (*type) {
    case plogq::Type::kFloat:
      return run(plogq::Elements<float, float>{});
    case plogq::Type::kDouble:
      return run(plogq::Elements<double, double>{});
    case plogq::Type::kBFloat16:
      return run(plogq::Elements<plogq::BFloat16, float>{});
    default:
      return run(plogq::Elements<plogq::Float16, float>{});
  }
}

using Limbs = Array<int64_t, nb::shape<-1, plogq::kLimbs>, nb::c_contig>;
using Parts = Array<int64_t, nb::shape<plogq::kParts, -1>, nb::c_contig>;

plogq::ExactSums sums_of(const Limbs& limbs, const Optional<Parts>& parts, int64_t pending) {
  require(!parts || parts->shape(1) == limbs.shape(0));
  return {limbs.data(), parts ? parts->data() : nullptr, int64_t(limbs.shape(0)), pending};
}

// Gives the position of the first value at fault, or -1, and how many values are pending then.
std::pair<int64_t, int64_t> add(Limbs limbs, Optional<Parts> parts, int64_t pending,
                                Row<const double> values, Optional<Row<const int64_t>> group,
                                int instruction_set) {
  plogq::ExactSums sums = sums_of(limbs, parts, pending);
  require(!group || group->shape(0) == values.shape(0));
  const plogq::WithoutGil other_threads_run;
  const int64_t bad = kInstructionSets.at(instruction_set)
                          ->add(sums, values.data(), group ? group->data() : nullptr,
                                values.shape(0));
  return {bad, sums.pending};
}

void settle(Limbs limbs, Parts parts) {
  plogq::ExactSums sums = sums_of(limbs, parts, 0);
  const plogq::WithoutGil other_threads_run;
  plogq::settle(sums);
}

void carry(Limbs limbs) {
  for (size_t g = 0; g < limbs.shape(0); ++g) plogq::carry(limbs.data() + plogq::kLimbs * g);
}

// Writes the positions of rows with low hashes to the beginning of `place`; gives how many.
int64_t lowest_hashes(uint64_t start, uint64_t seed, uint64_t limit, Row<int64_t> place,
                      int instruction_set) {
  const plogq::WithoutGil other_threads_run;
  return kInstructionSets.at(instruction_set)
      ->lowest(start, place.shape(0), seed, limit, place.data());
}

void widen(Row<const uint16_t> halves, Row<float> out, int instruction_set) {
  require(halves.shape(0) == out.shape(0));
  const plogq::WithoutGil other_threads_run;
  kInstructionSets.at(instruction_set)
      ->widen(reinterpret_cast<const plogq::Float16*>(halves.data()), halves.shape(0), out.data());
}

template <class In>
using Columns = std::vector<Row<const In>>;
template <class In>
using Matrix = Optional<Array<const In, nb::ndim<2>, nb::c_contig>>;

// Rows that are given as columns or else as a matrix; `places` has pointers to the columns.
template <class In>
plogq::Figures<In> rows_of(const Columns<In>& columns, const Matrix<In>& logits,
                           const Row<const int64_t>& target, std::vector<const In*>& places) {
  const size_t n = target.shape(0);
  plogq::Figures<In> b{};
  for (const auto& column : columns) {
    require(column.shape(0) == n && is_aligned(column.data()));
    places.push_back(column.data());
  }
  if (logits) {
    require(columns.empty() && logits->shape(0) == n && is_aligned(logits->data()));
    b.logits = logits->data();
    b.row_stride = logits->stride(0);
  }
  b.columns = logits ? nullptr : places.data();
  b.rows = n;
  b.classes = logits ? logits->shape(1) : columns.size();
  require(b.classes > 0);
  b.target = target.data();
  bool fits = true;
  for (size_t i = 0; i < n; ++i) fits &= uint64_t(b.target[i]) < uint64_t(b.classes);
  require(fits);
  return b;
}

// Writes the figures of rows; gives the first row at fault, or -1.
template <class In>
int64_t figures(const Columns<In>& columns, const Matrix<In>& logits, Row<const int64_t> target,
                Array<double, nb::shape<5, -1>, nb::c_contig> out, Row<int64_t> predicted,
                int instruction_set) {
  std::vector<const In*> places;
  plogq::Figures<In> b = rows_of(columns, logits, target, places);
  const size_t n = b.rows;
  require(out.shape(1) == n && predicted.shape(0) == n);
  b.surprisal = out.data();
  b.confidence = b.surprisal + n;
  b.correct = b.confidence + n;
  b.entropy = b.correct + n;
  b.brier = b.entropy + n;
  b.predicted = predicted.data();
  const plogq::WithoutGil other_threads_run;
  return plogq::run(b, *kInstructionSets.at(instruction_set));
}

// Adds the figures of rows to counts and to the parts of sums, in the order of `plogq::Fold`; gives
// the first row at fault, and how many rows are apart.
template <class In>
std::pair<int64_t, int64_t> fold(const Columns<In>& columns, const Matrix<In>& logits,
                                 Row<const int64_t> target, Row<const int64_t> bucket,
                                 const std::vector<Row<int64_t>>& counts,
                                 const std::vector<Parts>& parts, double surprisal_width,
                                 Row<double> surprisal, Row<int64_t> apart,
                                 int instruction_set) {
  std::vector<const In*> places;
  plogq::Fold<In> b{};
  b.rows = rows_of(columns, logits, target, places);
  const size_t n = b.rows.rows, classes = b.rows.classes;
  require(classes <= plogq::kMostClassesToFold && bucket.shape(0) == n);
  require(surprisal.shape(0) == n && apart.shape(0) == n);
  require(counts.size() == 5 && parts.size() == 7);
  const size_t buckets = counts[0].shape(0), bins = counts[3].shape(0);
  const size_t groups[7] = {buckets, buckets, buckets, buckets, classes * classes, bins, bins};
  for (size_t k = 0; k < 7; ++k) require(parts[k].shape(1) == groups[k]);
  require(counts[1].shape(0) == buckets * classes && counts[2].shape(0) == classes * classes);
  require(bins > 0 && counts[4].shape(0) > 2 && surprisal_width > 0);
  b.bucket = bucket.data();
  b.buckets = buckets;
  b.bins = bins;
  b.surprisal_bins = counts[4].shape(0);
  b.surprisal_width = surprisal_width;
  int64_t** const counted[] = {&b.bucket_rows, &b.label_rows, &b.cell_rows, &b.bin_rows,
                               &b.surprisal_rows};
  for (size_t k = 0; k < 5; ++k) *counted[k] = counts[k].data();
  int64_t** const summed[] = {&b.bucket_surprisal, &b.bucket_entropy, &b.bucket_brier,
                              &b.bucket_correct,   &b.cell_surprisal, &b.bin_confidence,
                              &b.bin_correct};
  for (size_t k = 0; k < 7; ++k) *summed[k] = parts[k].data();
  b.rows.surprisal = surprisal.data();
  b.apart = apart.data();
  const plogq::WithoutGil other_threads_run;
  const plogq::FoldFound found = plogq::run(b, *kInstructionSets.at(instruction_set));
  return {found.bad, found.apart};
}

}  // namespace

NB_MODULE(_native, module) {
  plogq::WithoutGil::wait_for_all_at_exit();
  module.def("rows", &rows, "logits"_a.noconvert(), "target"_a.noconvert().none(),
             "soft"_a.noconvert().none(), "weight"_a.noconvert().none(),
             "keep"_a.noconvert().none(), "row_weight"_a.noconvert().none(),
             "gradient"_a.noconvert().none(), "statistics"_a.noconvert().none(),
             "argmax"_a.noconvert().none(), "denominator"_a.none(), "by_class"_a, "scale"_a,
             "ignore_index"_a.none(), "label_smoothing"_a, "gamma"_a, "temperature"_a, "z_loss"_a,
             "tolerance"_a, "check_logits"_a, "threads"_a, "instruction_set"_a);
  module.def("elements", &elements, "logits"_a.noconvert(), "target"_a.noconvert(),
             "weight"_a.noconvert().none(), "element_weight"_a.noconvert().none(), "scale"_a,
             "losses"_a.noconvert().none(),
             "gradient"_a.noconvert().none(), "validate"_a, "threads"_a, "instruction_set"_a);
  const auto define = [&]<class In>(In, const std::string& type) {
    module.def((type + "_figures").c_str(), &figures<In>, "columns"_a.noconvert(),
               "logits"_a.noconvert().none(), "target"_a.noconvert(), "out"_a.noconvert(),
               "predicted"_a.noconvert(), "instruction_set"_a);
    module.def((type + "_fold").c_str(), &fold<In>, "columns"_a.noconvert(),
               "logits"_a.noconvert().none(), "target"_a.noconvert(), "bucket"_a.noconvert(),
               "counts"_a.noconvert(), "parts"_a.noconvert(), "surprisal_width"_a,
               "surprisal"_a.noconvert(), "apart"_a.noconvert(), "instruction_set"_a);
  };
  define(float{}, "float");
  define(double{}, "double");
  module.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const auto* set : kInstructionSets) names.push_back(set->name);
    return names;
  });
  module.def("add", &add, "limbs"_a.noconvert(), "parts"_a.noconvert().none(),
             "pending"_a, "values"_a.noconvert(), "group"_a.noconvert().none(), "instruction_set"_a);
  module.def("settle", &settle, "limbs"_a.noconvert(), "parts"_a.noconvert());
  module.def("widen", &widen, "halves"_a.noconvert(), "out"_a.noconvert(), "instruction_set"_a);
  module.def("lowest_hashes", &lowest_hashes, "start"_a, "seed"_a, "limit"_a, "place"_a.noconvert(),
             "instruction_set"_a);
  module.def("carry", &carry, "limbs"_a.noconvert());
  bind_codes(module);
  bind_tensors(module);
  bind_jax(module);
}
