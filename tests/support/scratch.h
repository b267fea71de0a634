// SPDX-License-Identifier: GPL-2.0-only
// Files of a test, and the names by which all that tests leave in the system can be found again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "loader/base/result.h"

namespace fw::test {

// "fwt-PID-NAME-N": of this process, and unique in it.
std::string unique_name(std::string_view name);

// The pid in such a name, if its process is gone; 0 otherwise.
int dead_owner(std::string_view name);

// Removes namespaces, folders and bpffs mounts that processes which are gone have left behind.
void sweep_leftovers();

// A folder in /tmp that is removed with all that is in it.
class Scratch {
 public:
  static Result<Scratch> create(std::string_view name);
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&& other) noexcept;
  ~Scratch();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view file) const { return path_ / file; }

  // Mounts a BPF file system of its own at "bpf" in it, so that all pins go at once.
  Result<std::string> mount_bpffs();

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);  // "" when it cannot be read
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace fw::test
