// Lets other Python threads run while a kernel computes.
//
// A thread that asks for the GIL when Python has begun to end is ended inside of that call, and C++
// aborts the process then. So the end waits for the kernels that run without the GIL, and those
// that start after it keep it.
#pragma once

#include <nanobind/nanobind.h>

#ifndef _WIN32
#include <pthread.h>
#endif

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace plogq {

class WithoutGil {
 public:
  WithoutGil() {
    if (ending) return;
    ++running;
    release.emplace();
  }
  ~WithoutGil() {
    if (!release) return;
    release.reset();
    --running;
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  static void wait_for_all_at_exit() {
    nanobind::module_::import_("atexit").attr("register")(nanobind::cpp_function([] {
      ending = true;
      nanobind::gil_scoped_release release;
      while (running) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }));
#ifndef _WIN32
    pthread_atfork(nullptr, nullptr, [] { running = 0; });  // a child has one thread
#endif
  }

 private:
  std::optional<nanobind::gil_scoped_release> release;
  static inline bool ending = false;  // under the GIL
  static inline std::atomic<int> running = 0;
};

}  // namespace plogq
