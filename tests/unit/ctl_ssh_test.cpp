// SPDX-License-Identifier: GPL-2.0-only
// Finding the SSH session behind sudo, in a /proc made of files.
#include "ctl/ssh.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fw::ctl {
namespace {

namespace fs = std::filesystem;

class SshConnection : public testing::Test {
 protected:
  ~SshConnection() override { fs::remove_all(proc_); }
  void process(int pid, int parent, const std::string& environment) const {
    const fs::path folder = proc_ / std::to_string(pid);
    fs::create_directories(folder);
    std::ofstream(folder / "environ") << environment;
    std::ofstream(folder / "stat") << pid << " (a) b (c) S " << parent << " 1 1 0 -1";
  }
  [[nodiscard]] std::string of(int pid) const { return ssh_connection_of(pid, proc_); }

  const fs::path proc_ = fs::path{testing::TempDir()} / ("proc-" + std::to_string(getpid()));
};

const std::string kEnvironment{"HOME=/root\0SSH_CONNECTION=198.51.100.7 1 192.0.2.1 22\0", 54};

TEST_F(SshConnection, IsFoundBehindSudo) {
  process(10, 1, kEnvironment);
  process(20, 10, "HOME=/root");
  process(30, 20, "");
  EXPECT_EQ(of(10), "198.51.100.7 1 192.0.2.1 22");
  EXPECT_EQ(of(30), "198.51.100.7 1 192.0.2.1 22");
}

TEST_F(SshConnection, SetToNothingIsNone) {
  process(10, 1, kEnvironment);
  process(20, 10, std::string{"SSH_CONNECTION=\0", 16});
  EXPECT_EQ(of(20), "");
}

TEST_F(SshConnection, WithoutAnyThereIsNone) {
  process(10, 1, "HOME=/root");
  process(1, 0, kEnvironment);  // not a session's process
  EXPECT_EQ(of(10), "");
  EXPECT_EQ(of(77), "");
  process(40, 40, "");  // its own parent
  EXPECT_EQ(of(40), "");
}

}  // namespace
}  // namespace fw::ctl
