#pragma once
#include <nanobind/nanobind.h>

void bind_tensors(nanobind::module_& module);
