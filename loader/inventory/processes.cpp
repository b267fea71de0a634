// SPDX-License-Identifier: GPL-2.0-only
#include "loader/inventory/processes.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fw::inventory {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kContainerIdDigits = 64;

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

// "socket:[12345]"
bool read_inode(std::string_view link, std::uint64_t& inode) {
  constexpr std::string_view kHead = "socket:[";
  if (!link.starts_with(kHead) || !link.ends_with(']')) return false;
  link.remove_prefix(kHead.size());
  link.remove_suffix(1);
  return read_number(link, inode);
}

// A process may end, and its files close, at any moment: what cannot be read is passed over.
std::vector<std::uint64_t> sockets_of(const fs::path& process) {
  std::vector<std::uint64_t> inodes;
  std::error_code error;
  for (fs::directory_iterator entry{process / "fd", error}, end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    std::uint64_t inode = 0;
    if (read_inode(fs::read_symlink(entry->path(), gone).string(), inode)) inodes.push_back(inode);
  }
  return inodes;
}

Process describe(int pid, const fs::path& process) {
  std::string name = read_text(process / "comm");
  while (name.ends_with('\n')) name.pop_back();
  return {pid, std::move(name), container_in_cgroup(read_text(process / "cgroup")), {}};
}

}  // namespace

std::string container_in_cgroup(std::string_view cgroup) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i < cgroup.size(); ++i) {
    const char c = cgroup[i];
    const bool hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    digits = hexadecimal ? digits + 1 : 0;
    if (digits == kContainerIdDigits)
      return std::string{cgroup.substr(i + 1 - kContainerIdDigits, kContainerIdDigits)};
  }
  return {};
}

std::map<std::uint64_t, std::vector<Process>> socket_owners(const std::string& proc) {
  std::map<int, fs::path> processes;  // ascending
  std::error_code error;
  for (fs::directory_iterator entry{proc, error}, end; !error && entry != end;
       entry.increment(error)) {
    int pid = 0;
    if (read_number(entry->path().filename().string(), pid)) processes.emplace(pid, entry->path());
  }
  std::map<std::uint64_t, std::vector<Process>> owners;
  for (const auto& [pid, path] : processes) {
    const auto inodes = sockets_of(path);
    if (inodes.empty()) continue;
    const Process process = describe(pid, path);
    for (const std::uint64_t inode : inodes) {
      auto& known = owners[inode];
      const bool seen = std::any_of(known.begin(), known.end(), [&](const Process& other) {
        return other.name == process.name;
      });
      if (!seen) known.push_back(process);
    }
  }
  return owners;
}

}  // namespace fw::inventory
