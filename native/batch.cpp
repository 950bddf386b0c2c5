#include "batch.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

namespace plogq {

extern const InstructionSet baseline;
#ifdef PLOGQ_X86_64_ROWS
extern const InstructionSet x86_64_v3, x86_64_v4;
#endif

std::vector<const InstructionSet*> instruction_sets() {
  std::vector<const InstructionSet*> sets{&baseline};
#ifdef PLOGQ_X86_64_ROWS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) sets.push_back(&x86_64_v3);
  if (__builtin_cpu_supports("x86-64-v4")) sets.push_back(&x86_64_v4);
#endif
  return sets;
}

namespace {

// Elements that a thread takes at a time (some 10 microseconds of work), and how many there must be
// for each thread: starting one costs as much as 2^16.
constexpr std::int64_t kBlock = 1 << 15;
constexpr std::int64_t kShare = 1 << 17;

template <class In, class A>
std::int64_t first_bad_target(const Batch<In, A>& b) {
  if (b.target)
    for (std::int64_t i = 0; i < b.rows; ++i)
      if ((b.target[i] < 0 || b.target[i] >= b.classes) && !ignored(b, i)) return i;
  return -1;
}

// NaN reaches the sum, +inf the max; -inf throughout leaves the max at -inf.
template <class In, class A>
std::int64_t first_bad_logits(const Batch<In, A>& b, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    const bool finite = b.max[i] - b.max[i] == 0 && b.rest[i] == b.rest[i];
    if (!finite && !ignored(b, i)) return i;
  }
  return -1;
}

Rows<float, float> rows_of(const InstructionSet& set, const Batch<float, float>&) {
  return set.float_rows;
}
Rows<float, double> rows_of(const InstructionSet& set, const Batch<float, double>&) {
  return set.widening_rows;
}
Rows<double, double> rows_of(const InstructionSet& set, const Batch<double, double>&) {
  return set.double_rows;
}

}  // namespace

template <class In, class A>
Faults run(const Batch<In, A>& batch, std::int64_t threads, const InstructionSet& set) {
  Faults faults{first_bad_target(batch)};
  if (faults.target >= 0) return faults;

  const Rows<In, A> rows = rows_of(set, batch);
  // A row depends on nothing but itself: any number of threads gives the same bits.
  const std::int64_t block = std::max(kRowsInScratch, kBlock / batch.classes);
  const std::int64_t useful = std::max<std::int64_t>(1, batch.rows * batch.classes / kShare);
  const int workers = int(std::min(threads, useful));
  const bool side_by_side =
      batch.class_stride == 1 && (!batch.gradient || batch.gradient_class_stride == 1);
  const std::size_t scratch_each = side_by_side ? 0 : kRowsInScratch * batch.classes * sizeof(A);
  const std::unique_ptr<std::byte[]> scratch(new std::byte[workers * scratch_each]);

  std::atomic<std::int64_t> next{0}, first_bad{batch.rows};
  const auto work = [&](int worker) {
    for (;;) {
      const std::int64_t begin = next.fetch_add(block);
      if (begin >= batch.rows || begin > first_bad) return;
      const std::int64_t end = std::min(begin + block, batch.rows);
      rows(batch, begin, end, scratch.get() + worker * scratch_each);
      const std::int64_t bad = first_bad_logits(batch, begin, end);
      for (std::int64_t seen = first_bad; bad >= 0 && bad < seen;)
        if (first_bad.compare_exchange_weak(seen, bad)) break;
    }
  };

  // Threads live for one call: nothing spins, nothing is left behind to fork or to shut down.
  std::vector<std::thread> helpers;
  helpers.reserve(workers - 1);
  try {
    for (int worker = 1; worker < workers; ++worker) helpers.emplace_back(work, worker);
  } catch (const std::exception&) {
    // The system gives no more threads: those that run share the work.
  }
  work(0);
  for (std::thread& helper : helpers) helper.join();
  if (first_bad < batch.rows) faults.logits = first_bad;
  return faults;
}

template Faults run(const Batch<float, float>&, std::int64_t, const InstructionSet&);
template Faults run(const Batch<float, double>&, std::int64_t, const InstructionSet&);
template Faults run(const Batch<double, double>&, std::int64_t, const InstructionSet&);

}  // namespace plogq
