// The rows as a call that XLA makes on the CPU, if its headers were there when this was built. Its
// threads are XLA's own.
#include <nanobind/nanobind.h>

#include "bind_jax.hpp"

namespace nb = nanobind;

#ifndef PLOGQ_XLA_FFI
nb::object xla_rows() { return nb::none(); }
#else
#ifdef __linux__
#include <sys/mman.h>
#endif
#include <xla/ffi/api/ffi.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "batch.hpp"

namespace ffi = xla::ffi;

namespace {

using ffi::AnyBuffer;
using ffi::DataType;
using ffi::Error;

const std::vector<const plogq::InstructionSet*> kInstructionSets = plogq::instruction_sets();

// What is asked of the rows of a matrix. An array that has no elements is not there.
struct Question {
  AnyBuffer logits;  // (N, C)
  AnyBuffer target;  // (N) int32, below 0 for what is no class; or (N, C) distributions
  AnyBuffer weight;  // (C) of the arithmetic's type, as the next but one
  AnyBuffer keep;    // (N) bool
  AnyBuffer scale;   // (N), the factor of each row's gradient
  double label_smoothing, gamma, temperature, z_loss;
  plogq::Threads threads;
};

std::optional<plogq::Type> type_of(DataType type) {
  switch (type) {
    case DataType::F32:
      return plogq::Type::kFloat;
    case DataType::F64:
      return plogq::Type::kDouble;
    case DataType::BF16:
      return plogq::Type::kBFloat16;
    case DataType::F16:
      return plogq::Type::kFloat16;
    default:
      return {};
  }
}

template <class T>
T* data(const AnyBuffer& buffer) {
  return buffer.element_count() ? static_cast<T*>(buffer.untyped_data()) : nullptr;
}

bool has(const AnyBuffer& buffer, DataType type, size_t count) {
  return buffer.element_type() == type && buffer.element_count() == count;
}

// Asks for large pages where the system has not yet given any: XLA allocates each large result anew,
// and to touch 500 MB of fresh memory in small pages takes four times as long as to compute them.
void prefer_large_pages([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr size_t page = size_t(2) << 20;
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(begin) + bytes) / page * page;
  if (bytes >= 16 * page) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

// Computes the losses of rows, and of what else there is room for.
template <class In, class A>
Error run(const Question& q, ffi::RemainingRets out, bool with_gradient, bool with_statistics) {
  constexpr DataType arithmetic = std::is_same_v<A, double> ? DataType::F64 : DataType::F32;
  const auto shape = q.logits.dimensions();
  const int64_t n = shape[0], classes = shape[1];
  plogq::Batch<In, A> b{};
  b.logits = data<In>(q.logits);
  b.rows = b.image = n;
  b.classes = b.row_stride = classes;
  b.class_stride = 1;
  b.label_smoothing = q.label_smoothing;
  b.gamma = q.gamma;
  b.temperature = q.temperature;
  b.z_loss = q.z_loss;
  b.tolerance = -1;
  b.scale = 1;
  b.weight = data<A>(q.weight);
  b.keep = data<bool>(q.keep);

  size_t next = 0;
  const auto result = [&](DataType type, size_t count) -> void* {
    if (next >= out.size()) return nullptr;
    auto found = out.get<AnyBuffer>(next++);
    return found && has(**found, type, count) ? (*found)->untyped_data() : nullptr;
  };
  b.loss = static_cast<A*>(result(arithmetic, n));
  bool fits = b.loss && (!b.weight || has(q.weight, arithmetic, classes)) &&
              (!b.keep || has(q.keep, DataType::PRED, n));
  if (with_gradient) {
    b.gradient = static_cast<In*>(result(q.logits.element_type(), n * classes));
    b.gradient_row_stride = classes;
    b.gradient_class_stride = 1;
    fits &= b.gradient && has(q.scale, arithmetic, n);
    if (b.gradient != b.logits) prefer_large_pages(b.gradient, n * classes * sizeof(In));
  }
  A* lse = nullptr;
  int32_t* argmax = nullptr;
  std::vector<A> state(with_statistics ? 3 * n : 0);  // max, rest and the squares of the rest
  std::vector<int64_t> top(with_statistics ? n : 0);
  if (with_statistics) {
    lse = static_cast<A*>(result(arithmetic, n));
    b.entropy = static_cast<A*>(result(arithmetic, n));
    argmax = static_cast<int32_t*>(result(DataType::S32, n));
    fits &= lse && b.entropy && argmax;
    b.max = state.data();
    b.rest = b.max + n;
    b.rest_squares = b.rest + n;
    b.argmax = top.data();
  }

  std::vector<int64_t> label;
  std::vector<int64_t> unknown;  // the rows that count and whose label is no class
  if (q.target.dimensions().size() == 2) {
    const auto type = type_of(q.target.element_type());
    fits &= type && q.target.element_count() == size_t(n * classes);
    b.soft = q.target.untyped_data();
    b.soft_type = type.value_or(plogq::Type::kFloat);
    b.soft_row_stride = classes;
    b.soft_class_stride = 1;
  } else {
    fits &= has(q.target, DataType::S32, n);
    const auto* const given = static_cast<const int32_t*>(q.target.untyped_data());
    label.assign(n, 0);
    for (int64_t i = 0; fits && i < n; ++i) {
      if (given[i] >= 0 && given[i] < classes)
        label[i] = given[i];
      else if (!b.keep || b.keep[i])
        unknown.push_back(i);
    }
    b.target = label.data();
    b.target_stride = 1;
  }
  if (!fits) return Error::InvalidArgument("arrays do not fit together");

  std::vector<double> scale;
  if (with_gradient) {
    const A* const given = static_cast<const A*>(q.scale.untyped_data());
    scale.assign(given, given + n);
    b.row_weight = scale.data();
    b.row_weight_stride = 1;
  }
  plogq::run(b, q.threads, *kInstructionSets.back());

  for (const int64_t i : unknown) {
    b.loss[i] = std::numeric_limits<A>::quiet_NaN();
    if (!with_gradient) continue;
    In nan;
    if constexpr (std::is_arithmetic_v<In>)
      nan = std::numeric_limits<In>::quiet_NaN();
    else
      nan.bits = 0x7fff;
    std::fill_n(b.gradient + i * classes, classes, nan);
  }
  for (int64_t i = 0; i < int64_t(top.size()); ++i) {
    lse[i] = b.max[i] + std::log1p(b.rest[i]);
    argmax[i] = int32_t(top[i]);
  }
  return Error::Success();
}

Error rows(ffi::ThreadPool pool, AnyBuffer logits, AnyBuffer target, AnyBuffer weight,
           AnyBuffer keep, AnyBuffer scale, ffi::RemainingRets out, double label_smoothing,
           double gamma, double temperature, double z_loss, bool with_gradient,
           bool with_statistics) try {
  if (logits.dimensions().size() != 2) return Error::InvalidArgument("logits are no matrix");
  if (logits.dimensions()[0] == 0) return Error::Success();
  const auto start = [pool](std::function<void()> task) mutable { pool.Schedule(std::move(task)); };
  const plogq::Threads threads(std::max<int64_t>(1, pool.num_threads()), start);
  const Question q{logits, target, weight,      keep,   scale,  label_smoothing,
                   gamma,  temperature, z_loss, threads};
  switch (logits.element_type()) {
    case DataType::F32:
      return run<float, float>(q, out, with_gradient, with_statistics);
    case DataType::F64:
      return run<double, double>(q, out, with_gradient, with_statistics);
    case DataType::BF16:
      return run<plogq::BFloat16, float>(q, out, with_gradient, with_statistics);
    default:
      return Error::InvalidArgument("logits of a type without a kernel");
  }
} catch (const std::exception& error) {
  return Error::Internal(error.what());  // such as that there is no memory
}

XLA_FFI_DEFINE_HANDLER(kRows, rows,
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Arg<AnyBuffer>()
                           .Arg<AnyBuffer>()
                           .Arg<AnyBuffer>()
                           .Arg<AnyBuffer>()
                           .Arg<AnyBuffer>()
                           .RemainingRets()
                           .Attr<double>("label_smoothing")
                           .Attr<double>("gamma")
                           .Attr<double>("temperature")
                           .Attr<double>("z_loss")
                           .Attr<bool>("with_gradient")
                           .Attr<bool>("with_statistics"));

}  // namespace

// The call, and the version of the interface that it was compiled for.
nb::object xla_rows() {
  return nb::make_tuple(nb::capsule(reinterpret_cast<void*>(kRows)), XLA_FFI_API_MAJOR,
                        XLA_FFI_API_MINOR);
}
#endif

void bind_jax(nb::module_& module) { module.def("xla_rows", &xla_rows); }
