// Compiled once per instruction set; PLOGQ_ROWS is the name of this one.
#include "elements.hpp"
#include "fold.hpp"
#include "hashes.hpp"
#include "widen.hpp"
#include "targets.hpp"

namespace plogq {
namespace {

template <bool moments, Target target, class In, class A>
int64_t rows_of(const Batch<In, A>& b, int64_t begin, int64_t end, std::byte* scratch) {
  return b.classes <= kFewClasses ? few_classes<moments, target>(b, begin, end)
                                  : many_classes<moments, target>(b, begin, end, scratch);
}

template <Target target, class In, class A>
int64_t rows_of(const Batch<In, A>& b, int64_t begin, int64_t end, std::byte* scratch) {
  return b.entropy ? rows_of<true, target>(b, begin, end, scratch)
                   : rows_of<false, target>(b, begin, end, scratch);
}

template <class In, class A>
int64_t rows(const Batch<In, A>& b, int64_t begin, int64_t end, std::byte* scratch) {
  if (b.soft) return rows_of<Target::kDistribution>(b, begin, end, scratch);
  if (b.label_smoothing) return rows_of<Target::kSmoothedClass>(b, begin, end, scratch);
  return rows_of<Target::kClass>(b, begin, end, scratch);
}

template <class In, class A>
constexpr Kernels<In, A> kernels{targets, rows, elements};

}  // namespace

#define PLOGQ_NAME_(name) #name
#define PLOGQ_NAME(name) PLOGQ_NAME_(name)
extern const InstructionSet PLOGQ_ROWS;
const InstructionSet PLOGQ_ROWS{
    PLOGQ_NAME(PLOGQ_ROWS),  kernels<float, float>,    kernels<float, double>,
    kernels<double, double>, kernels<BFloat16, float>, kernels<Float16, float>,
    figures<float>,          figures<double>,          fold<float>,
    fold<double>,            add_exactly,                  lowest_hashes,
    widen,
};

}  // namespace plogq
