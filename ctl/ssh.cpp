// SPDX-License-Identifier: GPL-2.0-only
#include "ctl/ssh.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>

namespace fw::ctl {
namespace {

constexpr std::string_view kVariable = "SSH_CONNECTION=";
constexpr int kMaxAncestors = 64;  // a chain that long is a race with dying processes

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// From NAME=VALUE, each ended by a NUL.
std::optional<std::string> variable(const std::string& environment) {
  std::size_t start = 0;
  while (start < environment.size()) {
    const std::string_view entry{environment.c_str() + start};
    if (entry.starts_with(kVariable)) return std::string{entry.substr(kVariable.size())};
    start += entry.size() + 1;
  }
  return std::nullopt;
}

// Of /proc/PID/stat; the name before it is in parentheses and may hold anything. 0: unknown.
pid_t parent_of(const std::string& stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest{stat.substr(name_end + 1)};
  char state = 0;
  pid_t parent = 0;
  rest >> state >> parent;
  return parent;
}

}  // namespace

std::string ssh_connection() {
  const char* own = std::getenv("SSH_CONNECTION");
  return own != nullptr ? own : ssh_connection_of(getppid());
}

std::string ssh_connection_of(pid_t pid, const std::string& proc) {
  for (int i = 0; i < kMaxAncestors && pid > 1; ++i) {
    const std::string folder = proc + "/" + std::to_string(pid);
    if (auto found = variable(read_file(folder + "/environ"))) return *std::move(found);
    pid = parent_of(read_file(folder + "/stat"));
  }
  return "";
}

}  // namespace fw::ctl
