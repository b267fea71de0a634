// SPDX-License-Identifier: GPL-2.0-only
// Ownership of what the C libraries and the kernel hand out: raw pointers with a destroy function,
// and file descriptors.
#pragma once

#include <memory>
#include <utility>

#include "loader/base/fd.h"

namespace fw::bpf {

// Naming the destroy function in the type is all the RAII a C handle needs.
template <auto Destroy>
struct DestroyWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Destroy(object);
  }
};

using fw::Fd;

}  // namespace fw::bpf
