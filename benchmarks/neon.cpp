// The row kernel, or plain loops over libm's exp, on `rows` rows: what benchmarks/neon.py counts
// the instructions of. Arguments: kernel | plain, float | double, classes, rows.
#define PLOGQ_ROWS here
#include "../native/rows.cpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

// Loss and gradient of a row as one writes them at first: the largest, the sum, the quotients.
template <class A>
void plain(const plogq::Batch<A, A>& b) {
  for (std::int64_t i = 0; i < b.rows; ++i) {
    const A* x = b.logits + i * b.row_stride;
    A* g = b.gradient + i * b.gradient_row_stride;
    A top = x[0], sum = 0;
    for (std::int64_t j = 1; j < b.classes; ++j) top = x[j] > top ? x[j] : top;
    for (std::int64_t j = 0; j < b.classes; ++j) sum += g[j] = std::exp(x[j] - top);
    b.loss[i] = std::log(sum) + top - x[b.target[i]];
    for (std::int64_t j = 0; j < b.classes; ++j) g[j] /= sum;
    g[b.target[i]] -= 1;
  }
}

template <class A>
int answer(bool by_kernel, std::int64_t classes, std::int64_t rows) {
  std::vector<A> x(classes * rows), g(classes * rows), loss(rows + plogq::kLongestVector);
  std::vector<std::int64_t> y(rows);
  std::uint32_t state = 1;
  for (A& value : x) value = A(int(state = state * 1664525 + 1013904223) >> 8) / (1 << 20);
  for (std::int64_t i = 0; i < rows; ++i) y[i] = i % classes;
  plogq::Batch<A, A> b{};
  b.logits = x.data(), b.row_stride = classes, b.class_stride = 1;
  b.rows = b.image = rows, b.classes = classes, b.target = y.data(), b.target_stride = 1;
  b.tolerance = -1, b.temperature = 1, b.loss = loss.data(), b.scale = 1;
  b.gradient = g.data(), b.gradient_row_stride = classes, b.gradient_class_stride = 1;
  std::vector<std::byte> scratch(plogq::scratch_bytes(b));
  if (by_kernel)
    plogq::rows<A, A>(b, 0, rows, scratch.data());
  else
    plain(b);
  double total = 0;
  for (std::int64_t i = 0; i < rows; ++i) total += loss[i];
  std::printf("%.6f\n", rows ? total / rows : 0);
  return 0;
}

}  // namespace

int main(int, char** given) {
  const bool by_kernel = !std::strcmp(given[1], "kernel");
  const std::int64_t classes = std::atol(given[3]), rows = std::atol(given[4]);
  return std::strcmp(given[2], "float") ? answer<double>(by_kernel, classes, rows)
                                        : answer<float>(by_kernel, classes, rows);
}
