#pragma once
#include <nanobind/nanobind.h>

void bind_jax(nanobind::module_& module);
