// SPDX-License-Identifier: GPL-2.0-only
// Ownership of what the C libraries and the kernel hand out: raw pointers with a destroy function,
// and file descriptors.
#pragma once

#include <unistd.h>

#include <memory>
#include <utility>

namespace fw::bpf {

// Naming the destroy function in the type is all the RAII a C handle needs.
template <auto Destroy>
struct DestroyWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Destroy(object);
  }
};

// Owns a file descriptor; -1 owns nothing.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace fw::bpf
