// The only file that knows Python.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>

#include "batch.hpp"
#include "exact_sum.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, class... Rest>
using Array = nb::ndarray<T, nb::device::cpu, Rest...>;
template <class T>
using Row = Array<T, nb::ndim<1>, nb::c_contig>;
template <class T>
using Matrix = Array<T, nb::ndim<2>>;

const std::vector<const plogq::InstructionSet*> kInstructionSets = plogq::instruction_sets();

// Shapes and dtypes are checked by plogq.kernels.cpu, which knows what to say about them.
template <class In, class A>
std::pair<int64_t, int64_t> rows(Matrix<const In> logits, std::optional<Row<const int64_t>> target,
                                 std::optional<int64_t> ignore_index,
                                 Array<A, nb::ndim<2>, nb::c_contig> statistics,
                                 Row<int64_t> argmax, std::optional<Matrix<A>> gradient,
                                 Row<const double> row_scale, int64_t threads, int instruction_set) {
  const int64_t n = logits.shape(0);
  const bool moments = statistics.shape(0) == 5;
  A* const s = statistics.data();
  const plogq::Batch<In, A> batch{
      .logits = logits.data(),
      .row_stride = logits.stride(0),
      .class_stride = logits.stride(1),
      .rows = n,
      .classes = int64_t(logits.shape(1)),
      .target = target ? target->data() : nullptr,
      .has_ignore_index = target && ignore_index,
      .ignore_index = ignore_index.value_or(0),
      .max = s,
      .rest = s + n,
      .argmax = argmax.data(),
      .loss = s + 2 * n,
      .entropy = moments ? s + 3 * n : nullptr,
      .rest_squares = moments ? s + 4 * n : nullptr,
      .gradient = gradient ? gradient->data() : nullptr,
      .gradient_row_stride = gradient ? gradient->stride(0) : 0,
      .gradient_class_stride = gradient ? gradient->stride(1) : 0,
      .row_scale = row_scale.data(),
      .row_scale_stride = row_scale.shape(0) == 1 ? 0 : 1,
  };
  nb::gil_scoped_release release;
  const plogq::Faults faults = plogq::run(batch, threads, *kInstructionSets.at(instruction_set));
  return {faults.target, faults.logits};
}

int64_t add(Array<int64_t, nb::shape<-1, plogq::kLimbs>, nb::c_contig> limbs,
            Row<const double> values, std::optional<Row<const int64_t>> group) {
  const int64_t* const g = group ? group->data() : nullptr;
  const int64_t groups = limbs.shape(0), n = values.shape(0);
  nb::gil_scoped_release release;
  const int64_t bad = plogq::first_bad(groups, values.data(), g, n);
  if (bad < 0) plogq::add(limbs.data(), groups, values.data(), g, n);
  return bad;
}

void carry(Array<int64_t, nb::shape<-1, plogq::kLimbs>, nb::c_contig> limbs) {
  for (size_t g = 0; g < limbs.shape(0); ++g) plogq::carry(limbs.data() + plogq::kLimbs * g);
}

template <class In, class A>
void define_rows(nb::module_& module) {
  module.def("rows", &rows<In, A>, "logits"_a.noconvert(), "target"_a.noconvert().none(),
             "ignore_index"_a.none(), "statistics"_a.noconvert(), "argmax"_a.noconvert(),
             "gradient"_a.noconvert().none(), "row_scale"_a.noconvert(), "threads"_a,
             "instruction_set"_a);
}

}  // namespace

NB_MODULE(_native, module) {
  define_rows<float, float>(module);
  define_rows<float, double>(module);
  define_rows<double, double>(module);
  module.def("instruction_sets", [] {
    std::vector<std::string> names;
    for (const auto* set : kInstructionSets) names.push_back(set->name);
    return names;
  });
  module.def("add", &add, "limbs"_a.noconvert(), "values"_a.noconvert(),
             "group"_a.noconvert().none());
  module.def("carry", &carry, "limbs"_a.noconvert());
}
