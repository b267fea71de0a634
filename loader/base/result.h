// SPDX-License-Identifier: GPL-2.0-only
// Result<T>: a value, or one sentence that says why there is none.
//
// g++ 12 has no std::expected in C++20; this is the subset fwd needs. Nothing in fwd throws:
// exceptions of libraries are caught where they enter (config/yaml.cpp, control/protocol.cpp,
// ctl/app.cpp).
#pragma once

#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace fw {

// `message` is a whole sentence for an operator: what was being done, what is wrong, what to do.
struct Error {
  std::string message;
  int code = 0;  // errno when the kernel said no, else 0

  // "loading BPF programs: Operation not permitted"; reads errno.
  static Error from_errno(const std::string& doing, int code = errno) {
    return {doing + ": " + std::strerror(code), code};
  }
  // Puts what an outer layer was doing in front.
  [[nodiscard]] Error during(const std::string& doing) const {
    return {doing + ": " + message, code};
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  explicit operator bool() const noexcept { return state_.index() == 0; }
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }
  [[nodiscard]] const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit
  explicit operator bool() const noexcept { return !error_; }
  [[nodiscard]] const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace fw
