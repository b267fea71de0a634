// SPDX-License-Identifier: GPL-2.0-only
// The directory in the BPF file system that keeps fwd's maps and links alive between two runs.
#pragma once

#include <string>

#include "loader/base/result.h"
#include "loader/bpf/handles.h"

namespace fw::datapath {

// Held by one fwd at a time, by a lock that ends with the process.
class PinDirectory {
 public:
  // Mounts a BPF file system if there is none, makes the directories, takes the lock.
  static Result<PinDirectory> open(const std::string& root);

  // Gives the lock up.
  void release() { lock_ = {}; }

  [[nodiscard]] const std::string& root() const { return root_; }
  // The directory of this ABI version: maps of another layout are never adopted.
  [[nodiscard]] std::string maps() const;
  [[nodiscard]] std::string links() const { return maps() + "/links"; }
  [[nodiscard]] std::string filters() const { return maps() + "/filters"; }

 private:
  PinDirectory(std::string root, bpf::Fd lock) : root_(std::move(root)), lock_(std::move(lock)) {}

  std::string root_;
  bpf::Fd lock_;
};

}  // namespace fw::datapath
