// Half precision as float32. No Python, no threads.
#pragma once
#include "memory.hpp"

namespace plogq {
namespace {

void widen(const Float16* from, int64_t n, float* to) {
  for_each_vector<float>(0, n, [&](int64_t i, auto some) {
    store<float>(to + i, load<float>(from + i, some, 0.f), some);
  });
}

}  // namespace
}  // namespace plogq
