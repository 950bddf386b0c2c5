// The targets of a batch, before its logits are read.
#pragma once
#include "batch.hpp"

namespace plogq {
namespace {

template <class In, class A>
TargetsFound targets(const Batch<In, A>& b, bool by_class) {
  constexpr int64_t run = 1 << 10;  // rows that are summed before their sum joins the total
  const bool weighed = by_class && b.target && b.weight;
  const bool plain = b.target && b.target_stride == 1 && !b.keep && !weighed;
  TargetsFound found;
  for (int64_t begin = 0; begin < b.rows; begin += run) {
    const int64_t end = begin + run < b.rows ? begin + run : b.rows;
    if (plain && (!b.row_weight || !b.row_weight_stride)) {
      // Without branches the compiler vectorises this.
      int64_t ignored = 0, wrong = 0;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t y = b.target[i], is_ignored = b.has_ignore_index & (y == b.ignore_index);
        ignored += is_ignored;
        wrong += (1 - is_ignored) & (uint64_t(y) >= uint64_t(b.classes));
      }
      if (!wrong) {
        found.weight += double(end - begin - ignored) * weight_of_row(b, 0);
        continue;
      }
    }
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) {
      if (left_out(b, i)) continue;
      const int64_t y = b.target ? b.target[i * b.target_stride] : 0;
      if (y < 0 || y >= b.classes) {
        found.bad = i;
        return found;
      }
      sum += weight_of_row(b, i) * (weighed ? double(b.weight[y]) : 1.0);
    }
    found.weight += sum;
  }
  return found;
}

}  // namespace
}  // namespace plogq
