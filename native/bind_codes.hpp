#pragma once
#include <nanobind/nanobind.h>

void bind_codes(nanobind::module_& module);
