// The intrinsics of AVX-512 and F16C, where the file is compiled for them. No Python, no threads.
#pragma once
#if defined(__AVX512F__) || defined(__F16C__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC's header makes a register whose content does not matter by `__m512d __Y = __Y;`, and GCC 12
// warns of that line wherever an intrinsic with it is inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#endif
