// A batch of rows or of elements, and the kernels that work on it. This file has only plain data,
// since every instruction set includes it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "exact_sum.hpp"

namespace plogq {

struct BFloat16 {
  std::uint16_t bits;
};
struct Float16 {
  std::uint16_t bits;
};
enum class Type { kFloat, kDouble, kBFloat16, kFloat16 };
template <class T>
constexpr Type type_of = Type::kFloat;
template <>
inline constexpr Type type_of<double> = Type::kDouble;

// Logits of type In, arithmetic and results of type A. Strides count elements. The rows are in
// images of `image` rows each (one image if the logits are a matrix): row i of image k lies at
// k * image_stride + i * row_stride.
//
// With z = x / temperature, p = softmax(z), lse = log sum exp z and e = label_smoothing, a row
// costs
//   sum_j w_j ((1 - e) t_j + e / K) (1 - p_j)^gamma (-log p_j) + z_loss lse^2
// over its K classes that are not masked by a logit of -inf.
template <class In, class A>
struct Batch {
  const In* logits;
  std::ptrdiff_t image_stride, row_stride, class_stride;
  std::int64_t rows, classes, image;

  // t_j = [j = target], or distributions; both are null if only the statistics are asked for.
  const std::int64_t* target;
  std::ptrdiff_t target_stride;
  const void* soft;
  Type soft_type;
  std::ptrdiff_t soft_image_stride, soft_row_stride, soft_class_stride;
  double tolerance;  // of the sum of a distribution; below 0 nothing is checked

  const A* weight;   // w, by class; null for ones
  const bool* keep;  // null if all rows count
  bool has_ignore_index;
  std::int64_t ignore_index;
  double temperature, label_smoothing, gamma, z_loss;  // gamma only without smoothing and soft

  // The state of a row: max z, and the sum of exp(z - max) over every class but the argmax. All of
  // these except the loss are null if they are not asked for.
  A *max, *rest;
  std::int64_t* argmax;
  A* loss;
  A *entropy, *rest_squares;

  In* gradient;  // null if not asked for; may be the logits themselves
  std::ptrdiff_t gradient_image_stride, gradient_row_stride, gradient_class_stride;
  const double* row_weight;  // weighs the loss in the sum; times scale, it weighs the gradient
  std::ptrdiff_t row_weight_stride;
  double scale;
  bool check_logits;  // whether to look for bad logits, which max and rest show
};

// Cross-entropy of sigmoids: element i has the weight weight[i % period] for its positive part.
template <class In, class A>
struct Elements {
  const In *logits, *target;
  const A* element_weight;  // of the whole loss of each; null for ones
  std::int64_t size;
  const A* weight;  // period + kLongestVector of them
  std::int64_t period;
  double scale;
  A* losses;     // null if not asked for
  In* gradient;  // null if not asked for; may be the logits themselves
  bool validate;
};

// The figures of each row of a table, in float64. Logits are given by column, or else by row.
template <class In>
struct Figures {
  const In* const* columns;  // one for each class; if it is null,
  const In* logits;          // the classes of a row are here, side by side
  std::ptrdiff_t row_stride;
  std::int64_t rows, classes;
  const std::int64_t* target;  // in [0, classes)
  std::int64_t first;          // the row that the arrays below begin with
  double *surprisal, *confidence, *correct, *entropy, *brier;
  std::int64_t* predicted;
};

// Rows whose figures are added up at once: by bucket, by cell of label and predicted class, by bin
// of confidence and by bin of surprisal. Sums of figures are the integers of `ExactSums`, three for
// each group. A surprisal of kMostSplit or more is not added: its row is listed in `apart`.
template <class In>
struct Fold {
  Figures<In> rows;  // only its surprisals are written
  const std::int64_t* bucket;
  std::int64_t buckets, bins, surprisal_bins;
  double surprisal_width;
  std::int64_t *bucket_rows, *label_rows, *cell_rows, *bin_rows, *surprisal_rows;
  std::int64_t *bucket_surprisal, *bucket_entropy, *bucket_brier, *bucket_correct, *cell_surprisal,
      *bin_confidence, *bin_correct;
  std::int64_t* apart;  // the numbers of those rows
};
struct FoldFound {
  std::int64_t bad = -1;  // the first row at fault; the sums are undefined if there is one
  std::int64_t apart = 0;
};
constexpr std::int64_t kMostClassesToFold = 64;

namespace {  // each instruction set keeps its own copy
template <class In, class A>
bool left_out(const Batch<In, A>& b, std::int64_t i) {
  return (b.has_ignore_index && b.target[i * b.target_stride] == b.ignore_index) ||
         (b.keep && !b.keep[i]);
}

template <class In, class A>
double weight_of_row(const Batch<In, A>& b, std::int64_t i) {
  return b.row_weight ? b.row_weight[i * b.row_weight_stride] : 1;
}
}  // namespace

constexpr std::int64_t kRowsInScratch = 16;
constexpr std::int64_t kLongestVector = 16;

// Computes the rows [begin, end), and gives the first whose target is no distribution, or -1.
template <class In, class A>
using Rows = std::int64_t (*)(const Batch<In, A>&, std::int64_t begin, std::int64_t end,
                              std::byte* scratch);

// Bytes of scratch that a thread needs.
template <class In, class A>
std::size_t scratch_bytes(const Batch<In, A>& b) {
  return b.classes * (2 * kRowsInScratch * sizeof(In) + 2 * sizeof(A));
}

struct ElementsFound {
  double loss = 0;               // their sum
  std::int64_t bad_target = -1;  // the first outside [0, 1]
};
template <class In, class A>
using ElementsOf = ElementsFound (*)(const Elements<In, A>&, std::int64_t begin, std::int64_t end);

// What is known from the targets before any logits are read.
struct TargetsFound {
  std::int64_t bad = -1;  // the first that is no class and not left out
  double weight = 0;      // the total weight, in a mean, of the rows that are not left out
};
template <class In, class A>
using Targets = TargetsFound (*)(const Batch<In, A>&, bool by_class);

// Gives the first row that has NaN, +inf or only -inf; or -1.
template <class In>
using FiguresOf = std::int64_t (*)(const Figures<In>&, std::byte* scratch);

// Adds values[k] to the sum of group[k], or of group 0, and gives -1. If one is at fault, nothing
// is added, and its position is given.
using Add = std::int64_t (*)(ExactSums&, const double* values, const std::int64_t* group,
                             std::int64_t n);

// Finds the rows among the n from `start` on whose numbers hash to `limit` at most, by SplitMix64
// from a seed: writes their positions, and gives how many there are.
using Lowest = std::int64_t (*)(std::uint64_t start, std::int64_t n, std::uint64_t seed,
                                std::uint64_t limit, std::int64_t* place);

template <class In>
using FoldOf = FoldFound (*)(const Fold<In>&);

using Widen = void (*)(const Float16* from, std::int64_t n, float* to);

// The functions of rows.cpp, compiled for one instruction set.
template <class In, class A>
struct Kernels {
  Targets<In, A> targets;
  Rows<In, A> rows;
  ElementsOf<In, A> elements;
};
struct InstructionSet {
  const char* name;
  Kernels<float, float> floats;
  Kernels<float, double> widening;
  Kernels<double, double> doubles;
  Kernels<BFloat16, float> bfloat16s;
  Kernels<Float16, float> float16s;
  FiguresOf<float> float_figures;
  FiguresOf<double> double_figures;
  FoldOf<float> float_fold;
  FoldOf<double> double_fold;
  Add add;
  Lowest lowest;
  Widen widen;

  template <class In, class A>
  const Kernels<In, A>& of() const;
  template <class In>
  FiguresOf<In> figures_of() const;
  template <class In>
  FoldOf<In> fold_of() const;
};

struct RowsFound {
  double loss = 0;  // the sum of row weight * loss
  // The first rows at fault, or -1.
  std::int64_t bad_target = -1;  // no class and not the ignore_index, or no distribution
  std::int64_t bad_logits = -1;  // NaN, +inf, or only -inf
};

// The most threads that a call may use, itself among them. `start` runs a task in a thread of its
// caller's, soon or late; without it, threads live for one call.
struct Threads {
  std::int64_t most;
  std::function<void(std::function<void()>)> start = {};

  Threads(std::int64_t most) : most(most) {}
  template <class Start>
  Threads(std::int64_t most, Start start) : most(most), start(start) {}
};

std::vector<const InstructionSet*> instruction_sets();  // those of this processor, the best last

template <class In, class A>
TargetsFound look_at_targets(const Batch<In, A>&, bool by_class, const InstructionSet&);

// If a distribution is refused, other rows may have their gradient already; in place, it has
// overwritten their logits.
template <class In, class A>
RowsFound run(const Batch<In, A>&, const Threads&, const InstructionSet&);

template <class In, class A>
ElementsFound run(const Elements<In, A>&, const Threads&, const InstructionSet&);

template <class In>
std::int64_t run(const Figures<In>&, const InstructionSet&);

template <class In>
FoldFound run(const Fold<In>&, const InstructionSet&);

}  // namespace plogq
