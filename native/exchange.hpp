// Tensors of a library that offers DLPack's table of functions (`__dlpack_c_exchange_api__`,
// DLPack 1.2): their memory is read, and new tensors are made, without a call of Python. The
// structures have the layout of the standard.
#pragma once
#include <nanobind/ndarray.h>

#include <cstdint>

namespace plogq {

using Tensor = nanobind::dlpack::dltensor;

struct DLPackVersion {
  std::uint32_t major, minor;
};

struct ManagedTensor {
  DLPackVersion version;
  void* context;
  void (*deleter)(ManagedTensor*);
  std::uint64_t flags;
  Tensor tensor;
};

struct Exchange {
  DLPackVersion version;
  void* older;
  int (*allocate)(Tensor* like, ManagedTensor** out, void* context,
                  void (*set_error)(void* context, const char* kind, const char* message));
  int (*managed_of)(void* object, ManagedTensor** out);
  int (*object_of)(ManagedTensor* tensor, void** out_object);  // takes the tensor over
  int (*tensor_of)(void* object, Tensor* out);                 // may be null; borrows
  int (*work_stream)(int device_type, std::int32_t device, void** out);
};

}  // namespace plogq
