#include "batch.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>
#ifdef PLOGQ_X86_64_ROWS
#include <cpuid.h>
#endif

namespace plogq {

extern const InstructionSet baseline;
#ifdef PLOGQ_X86_64_ROWS
extern const InstructionSet x86_64_v3, x86_64_v4;
#endif

#ifdef PLOGQ_X86_64_ROWS
namespace {

// What the processor and the system have, asked of the processor itself: what compilers offer
// (__builtin_cpu_supports) says no to everything in a library that Zig has linked, and Clang before
// 15 does not know all features by name.
struct Processor {
  unsigned features = 0, more = 0, extended = 0, saved = 0;

  Processor() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d)) features = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) more = b;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) extended = c;
    if (features & bit_OSXSAVE) asm("xgetbv" : "=a"(saved), "=d"(d) : "c"(0));
  }

  // Whether it has the level x86-64-v3, and the system saves its registers.
  bool has_v3() const {
    constexpr unsigned first = bit_AVX | bit_FMA | bit_F16C | bit_MOVBE;
    constexpr unsigned second = bit_AVX2 | bit_BMI | bit_BMI2;
    return (features & first) == first && (more & second) == second && (extended & bit_LZCNT) &&
           (saved & 0x6) == 0x6;
  }

  // Whether it has what the level x86-64-v4 adds to x86-64-v3.
  bool has_v4() const {
    constexpr unsigned all =
        bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    return (more & all) == all && (saved & 0xe6) == 0xe6;
  }
};

}  // namespace
#endif

std::vector<const InstructionSet*> instruction_sets() {
  std::vector<const InstructionSet*> sets{&baseline};
#ifdef PLOGQ_X86_64_ROWS
  const Processor here;
  if (here.has_v3()) {
    sets.push_back(&x86_64_v3);
    if (here.has_v4()) sets.push_back(&x86_64_v4);
  }
#endif
  return sets;
}

template <>
const Kernels<float, float>& InstructionSet::of() const {
  return floats;
}
template <>
const Kernels<float, double>& InstructionSet::of() const {
  return widening;
}
template <>
const Kernels<double, double>& InstructionSet::of() const {
  return doubles;
}
template <>
const Kernels<BFloat16, float>& InstructionSet::of() const {
  return bfloat16s;
}
template <>
const Kernels<Float16, float>& InstructionSet::of() const {
  return float16s;
}

namespace {

// The elements that a thread takes at a time (some 10 microseconds of work), and the least elements
// per thread: to start one costs as much as 2^16 elements.
constexpr std::int64_t kBlock = 1 << 15;
constexpr std::int64_t kShare = 1 << 17;

int workers_for(std::int64_t elements, std::int64_t threads) {
  return int(std::clamp<std::int64_t>(elements / kShare, 1, threads));
}

// Calls run(worker) in this thread and in those that the caller starts. What has not begun when this
// thread is done is no longer needed, and not waited for: all threads may be busy.
template <class Run>
void share_among_started(int workers, const Threads& threads, const Run& run) {
  struct State {
    std::mutex mutex;
    std::condition_variable done;
    int running = 0;
    bool over = false;
  };
  const auto state = std::make_shared<State>();
  for (int worker = 1; worker < workers; ++worker)
    threads.start([state, &run, worker] {
      {
        const std::lock_guard lock(state->mutex);
        if (state->over) return;
        ++state->running;
      }
      run(worker);
      const std::lock_guard lock(state->mutex);
      --state->running;
      state->done.notify_one();
    });
  run(0);
  std::unique_lock lock(state->mutex);
  state->over = true;
  state->done.wait(lock, [&] { return state->running == 0; });
}

// Calls work(begin, end, worker) on each block of [0, size), in any order.
template <class Work>
void share(std::int64_t size, std::int64_t block, int workers, const Threads& threads,
           const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto run = [&](int worker) {
    for (std::int64_t begin; (begin = next.fetch_add(block)) < size;)
      work(begin, std::min(begin + block, size), worker);
  };
  if (threads.start) return share_among_started(workers, threads, run);
  // Threads live for one call: none waits between calls, and none is there at a fork or at exit.
  std::vector<std::thread> helpers;
  helpers.reserve(workers - 1);
  try {
    for (int worker = 1; worker < workers; ++worker) helpers.emplace_back(run, worker);
  } catch (const std::exception&) {
    // The system gives no more threads; those that run share the work.
  }
  run(0);
  for (std::thread& helper : helpers) helper.join();
}

// NaN makes the sum NaN, +inf is the max, and a row of only -inf has the max -inf.
template <class In, class A>
std::int64_t first_bad_logits(const Batch<In, A>& b, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    const bool finite = b.max[i] - b.max[i] == 0 && b.rest[i] == b.rest[i];
    if (!finite && !left_out(b, i)) return i;
  }
  return -1;
}

// Gives the weighted loss of the rows [begin, end). A row of weight 0 adds 0, even if its loss is
// infinite; NaN stays NaN.
template <class In, class A>
double loss_of(const Batch<In, A>& b, std::int64_t begin, std::int64_t end) {
  double sums[4] = {};
  for (std::int64_t i = begin; i < end; ++i) {
    const double weight = weight_of_row(b, i), loss = b.loss[i];
    sums[i % 4] += (weight == 0 && loss == loss) || loss == 0 ? 0 : weight * loss;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

constexpr std::size_t size_of(Type type) {
  return type == Type::kDouble ? 8 : type == Type::kFloat ? 4 : 2;
}

// The rows of image k, as a batch of their own.
template <class In, class A>
Batch<In, A> image_of(Batch<In, A> b, std::int64_t k) {
  const auto advance = [](auto*& p, std::ptrdiff_t step) {
    if (p) p += step;
  };
  const std::int64_t first = k * b.image;
  advance(b.logits, k * b.image_stride);
  advance(b.gradient, k * b.gradient_image_stride);
  advance(b.target, first * b.target_stride);
  advance(b.row_weight, first * b.row_weight_stride);
  advance(b.keep, first);
  advance(b.argmax, first);
  for (A** p : {&b.max, &b.rest, &b.loss, &b.entropy, &b.rest_squares}) advance(*p, first);
  if (b.soft)
    b.soft = static_cast<const std::byte*>(b.soft) +
             k * b.soft_image_stride * std::ptrdiff_t(size_of(b.soft_type));
  return b;
}

}  // namespace

template <class In, class A>
TargetsFound look_at_targets(const Batch<In, A>& batch, bool by_class, const InstructionSet& set) {
  return set.of<In, A>().targets(batch, by_class);
}

template <class In, class A>
RowsFound run(const Batch<In, A>& batch, const Threads& threads, const InstructionSet& set) {
  // A row depends only on itself, and losses are added up block by block, so any number of threads
  // gives the same bits.
  const std::int64_t block = std::max(kRowsInScratch, kBlock / batch.classes);
  const int workers = workers_for(batch.rows * batch.classes, threads.most);
  const bool side_by_side =
      batch.class_stride == 1 && (!batch.gradient || batch.gradient_class_stride == 1);
  const bool in_place = side_by_side && !batch.soft && std::is_same_v<In, A>;
  const std::size_t scratch_each = in_place ? 0 : scratch_bytes(batch);
  const std::unique_ptr<std::byte[]> scratch(new std::byte[workers * scratch_each]);

  const Rows<In, A> rows = set.of<In, A>().rows;
  std::vector<double> losses((batch.rows + block - 1) / block);
  // Twice the number of the first row at fault, plus 1 if its logits are at fault.
  std::atomic<std::int64_t> first{2 * batch.rows};
  const auto note = [&](std::int64_t fault) {
    for (std::int64_t seen = first; fault < seen;)
      if (first.compare_exchange_weak(seen, fault)) break;
  };
  share(batch.rows, block, workers, threads, [&](std::int64_t begin, std::int64_t end, int worker) {
    if (2 * begin > first) return;
    for (std::int64_t i = begin; i < end;) {
      const std::int64_t k = i / batch.image, start = k * batch.image;
      const std::int64_t stop = std::min(end, start + batch.image);
      const std::int64_t bad = rows(image_of(batch, k), i - start, stop - start,
                                    scratch.get() + worker * scratch_each);
      if (bad >= 0) note(2 * (start + bad));
      i = stop;
    }
    losses[begin / block] = loss_of(batch, begin, end);
    if (!batch.check_logits) return;
    const std::int64_t bad_logits = first_bad_logits(batch, begin, end);
    if (bad_logits >= 0) note(2 * bad_logits + 1);
  });
  RowsFound found;
  for (const double loss : losses) found.loss += loss;
  if (first < 2 * batch.rows) (first % 2 ? found.bad_logits : found.bad_target) = first / 2;
  return found;
}

template <class In, class A>
ElementsFound run(const Elements<In, A>& batch, const Threads& threads,
                  const InstructionSet& set) {
  const ElementsOf<In, A> elements = set.of<In, A>().elements;
  std::vector<ElementsFound> found((batch.size + kBlock - 1) / kBlock);
  share(batch.size, kBlock, workers_for(batch.size, threads.most), threads,
        [&](std::int64_t begin, std::int64_t end, int) {
          found[begin / kBlock] = elements(batch, begin, end);
        });
  ElementsFound all;
  for (const ElementsFound& part : found) {
    all.loss += part.loss;
    if (all.bad_target < 0) all.bad_target = part.bad_target;
  }
  return all;
}

template <>
FiguresOf<float> InstructionSet::figures_of() const {
  return float_figures;
}
template <>
FiguresOf<double> InstructionSet::figures_of() const {
  return double_figures;
}

template <>
FoldOf<float> InstructionSet::fold_of() const {
  return float_fold;
}
template <>
FoldOf<double> InstructionSet::fold_of() const {
  return double_fold;
}

template <class In>
std::int64_t run(const Figures<In>& batch, const InstructionSet& set) {
  Batch<In, double> rows{};
  rows.classes = batch.classes;
  const std::size_t gathered = kRowsInScratch * batch.classes * sizeof(In);
  const std::unique_ptr<std::byte[]> scratch(new std::byte[gathered + scratch_bytes(rows)]);
  return set.figures_of<In>()(batch, scratch.get());
}

template <class In>
FoldFound run(const Fold<In>& batch, const InstructionSet& set) {
  return set.fold_of<In>()(batch);
}

#define PLOGQ_RUN_TABLE(In)                                           \
  template std::int64_t run(const Figures<In>&, const InstructionSet&); \
  template FoldFound run(const Fold<In>&, const InstructionSet&);
PLOGQ_RUN_TABLE(float)
PLOGQ_RUN_TABLE(double)

#define PLOGQ_RUN(In, A)                                                                    \
  template TargetsFound look_at_targets(const Batch<In, A>&, bool, const InstructionSet&);  \
  template RowsFound run(const Batch<In, A>&, const Threads&, const InstructionSet&);       \
  template ElementsFound run(const Elements<In, A>&, const Threads&, const InstructionSet&);
PLOGQ_RUN(float, float)
PLOGQ_RUN(float, double)
PLOGQ_RUN(double, double)
PLOGQ_RUN(BFloat16, float)
PLOGQ_RUN(Float16, float)

}  // namespace plogq
