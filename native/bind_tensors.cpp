// A reduced loss of plain tensors in one call: their memory is read, and loss and gradient are made,
// by the table of functions of their own library. A call that is not plain is not refused here: the
// caller then takes the longer way, which has the error messages.
#include <nanobind/nanobind.h>

#include <array>
#include <memory>

#include "batch.hpp"
#include "bind_tensors.hpp"
#include "exchange.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using plogq::Exchange;
using plogq::ManagedTensor;
using plogq::Tensor;

const std::vector<const plogq::InstructionSet*> kInstructionSets = plogq::instruction_sets();
constexpr int64_t kRowsOnStack = 256;
constexpr int64_t kWorthReleasing = 1 << 14;  // elements: some 10 us for other threads

// The library whose tensors are taken, of exactly these types, since a subclass may act otherwise.
const Exchange* exchange = nullptr;
std::array<PyTypeObject*, 2> plain_types{};

bool use_tensors_of(nb::object tensor, nb::object parameter) {
  if (!nb::hasattr(tensor, "__dlpack_c_exchange_api__")) return false;
  const nb::object capsule = tensor.attr("__dlpack_c_exchange_api__");
  const auto* found = static_cast<const Exchange*>(
      PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  if (!found) throw nb::python_error();
  if (found->version.major != 1 || !found->tensor_of) return false;
  for (const auto& type : {tensor, parameter}) type.inc_ref();  // kept until the process ends
  plain_types = {reinterpret_cast<PyTypeObject*>(tensor.ptr()),
                 reinterpret_cast<PyTypeObject*>(parameter.ptr())};
  exchange = found;
  return true;
}

bool read(nb::handle object, Tensor& out) {
  PyTypeObject* const type = Py_TYPE(object.ptr());
  if (type != plain_types[0] && type != plain_types[1]) return false;
  if (exchange->tensor_of(object.ptr(), &out)) {
    PyErr_Clear();  // such as that of a sparse tensor
    return false;
  }
  return out.device.device_type == nb::device::cpu::value;
}

bool is(const Tensor& t, nb::dlpack::dtype_code code, int bits) {
  return t.dtype.code == uint8_t(code) && t.dtype.bits == bits && t.dtype.lanes == 1;
}

template <class T>
T* data(const Tensor& t) {
  return reinterpret_cast<T*>(static_cast<char*>(t.data) + t.byte_offset);
}

// Makes a new tensor of the library, uninitialised, in C order; `out` describes its memory.
nb::object make(const Tensor& like, Tensor& out) {
  Tensor prototype = like;
  prototype.strides = nullptr;
  prototype.byte_offset = 0;
  ManagedTensor* managed = nullptr;
  const auto fail = [](void*, const char*, const char* message) {
    PyErr_SetString(PyExc_RuntimeError, message);
  };
  if (exchange->allocate(&prototype, &managed, nullptr, fail)) throw nb::python_error();
  out = managed->tensor;
  void* object = nullptr;
  if (exchange->object_of(managed, &object)) throw nb::python_error();
  return nb::steal(static_cast<PyObject*>(object));
}

struct Question {
  Tensor logits, target;
  int64_t ignore_index;
  bool mean;
  double label_smoothing, gamma, temperature, z_loss;
  int64_t threads;
};

struct Found {
  double loss = 0;
  int64_t bad_target = -1;
};

template <class T>
Found run(const Question& q, T* gradient) {
  const int64_t classes = q.logits.shape[1];
  plogq::Batch<T, T> b{};
  b.logits = data<T>(q.logits);
  b.rows = b.image = q.logits.shape[0];
  b.classes = classes;
  b.row_stride = classes;
  b.class_stride = 1;
  b.target = data<int64_t>(q.target);
  b.target_stride = q.target.strides ? q.target.strides[0] : 1;
  b.has_ignore_index = true;
  b.ignore_index = q.ignore_index;
  b.label_smoothing = q.label_smoothing;
  b.gamma = q.gamma;
  b.temperature = q.temperature;
  b.z_loss = q.z_loss;
  b.tolerance = -1;
  b.scale = 1;
  b.gradient = gradient;
  b.gradient_row_stride = classes;
  b.gradient_class_stride = 1;
  std::array<T, kRowsOnStack> few;
  std::unique_ptr<T[]> many;
  b.loss = few.data();
  if (b.rows > kRowsOnStack) {
    many.reset(new T[b.rows]);
    b.loss = many.get();
  }
  const auto& set = *kInstructionSets.back();
  const auto compute = [&]() -> Found {
    const plogq::TargetsFound targets = plogq::look_at_targets(b, false, set);
    if (targets.bad >= 0) return {0, targets.bad};
    const double denominator = q.mean && targets.weight ? targets.weight : 1;
    b.scale /= denominator;
    return {plogq::run(b, q.threads, set).loss / denominator, -1};
  };
  if (b.rows * classes < kWorthReleasing) return compute();
  const plogq::WithoutGil other_threads_run;
  return compute();
}

bool is_plain(const Question& q, int64_t largest) {
  const Tensor &x = q.logits, &y = q.target;
  if (x.ndim != 2 || y.ndim != 1 || x.shape[1] == 0 || y.shape[0] != x.shape[0]) return false;
  const bool in_order =
      !x.strides || ((x.shape[1] == 1 || x.strides[1] == 1) &&
                     (x.shape[0] == 1 || x.strides[0] == x.shape[1]));
  using Code = nb::dlpack::dtype_code;
  return in_order && (is(x, Code::Float, 32) || is(x, Code::Float, 64)) && is(y, Code::Int, 64) &&
         x.shape[0] * x.shape[1] * (x.dtype.bits / 8) < largest;
}

// Gives the loss, or (loss, gradient); None if the call is not plain, or a target is no class.
nb::object reduced_loss(nb::handle logits, nb::handle target, int64_t ignore_index, bool mean,
                        double label_smoothing, double gamma, double temperature, double z_loss,
                        bool with_gradient, int64_t largest, int64_t threads) {
  Question q{.logits = {},
             .target = {},
             .ignore_index = ignore_index,
             .mean = mean,
             .label_smoothing = label_smoothing,
             .gamma = gamma,
             .temperature = temperature,
             .z_loss = z_loss,
             .threads = threads};
  if (!exchange || !read(logits, q.logits) || !read(target, q.target) || !is_plain(q, largest))
    return nb::none();
  Tensor slopes{}, one{};
  nb::object gradient;
  if (with_gradient) gradient = make(q.logits, slopes);
  const bool is_float = q.logits.dtype.bits == 32;
  const Found found = is_float ? run(q, with_gradient ? data<float>(slopes) : nullptr)
                               : run(q, with_gradient ? data<double>(slopes) : nullptr);
  if (found.bad_target >= 0) return nb::none();
  Tensor scalar = q.logits;
  scalar.ndim = 0;
  nb::object loss = make(scalar, one);
  if (is_float)
    *data<float>(one) = float(found.loss);
  else
    *data<double>(one) = found.loss;
  return with_gradient ? nb::object(nb::make_tuple(loss, gradient)) : loss;
}

}  // namespace

void bind_tensors(nb::module_& module) {
  module.def("use_tensors_of", &use_tensors_of, "tensor"_a, "parameter"_a);
  module.def("reduced_loss", &reduced_loss);
}
