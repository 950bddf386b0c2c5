// Compiled once per instruction set; PLOGQ_ROWS is the name of this one.
#include "rows.hpp"

namespace plogq {
namespace {

template <bool moments, class In, class A>
void rows(const Batch<In, A>& b, int64_t begin, int64_t end, void* scratch) {
  if (b.classes <= kFewClasses)
    few_classes<moments>(b, begin, end);
  else
    many_classes<moments>(b, begin, end, scratch);
  finish(b, begin, end);
}

template <class In, class A>
void block(const Batch<In, A>& b, int64_t begin, int64_t end, void* scratch) {
  b.entropy ? rows<true>(b, begin, end, scratch) : rows<false>(b, begin, end, scratch);
}

}  // namespace

#define PLOGQ_NAME_(name) #name
#define PLOGQ_NAME(name) PLOGQ_NAME_(name)
extern const InstructionSet PLOGQ_ROWS;
const InstructionSet PLOGQ_ROWS{PLOGQ_NAME(PLOGQ_ROWS), block, block, block};

}  // namespace plogq
