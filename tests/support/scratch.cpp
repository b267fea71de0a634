// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

namespace fw::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "fwt-";
constexpr const char* kBpffs = "bpf";
const fs::path kScratchRoot = "/tmp";
const fs::path kNetnsRoot = "/run/netns";

void remove_scratch(const fs::path& path) {
  umount2((path / kBpffs).c_str(), MNT_DETACH);  // EINVAL when nothing is mounted there
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

void remove_netns(const fs::path& path) {
  umount2(path.c_str(), MNT_DETACH);
  unlink(path.c_str());
}

void sweep(const fs::path& folder, void (*remove)(const fs::path&)) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{folder, error})
    if (dead_owner(entry.path().filename().string()) != 0) remove(entry.path());
}

}  // namespace

std::string unique_name(std::string_view name) {
  static std::atomic<unsigned> count{0};
  return std::string{kPrefix} + std::to_string(getpid()) + "-" + std::string{name} + "-" +
         std::to_string(count++);
}

int dead_owner(std::string_view name) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  const bool ours = error == std::errc{} && end != name.data() + name.size() && *end == '-';
  if (!ours || pid <= 0) return 0;
  return kill(pid, 0) != 0 && errno == ESRCH ? pid : 0;
}

void sweep_leftovers() {
  sweep(kNetnsRoot, remove_netns);
  sweep(kScratchRoot, remove_scratch);
}

Result<Scratch> Scratch::create(std::string_view name) {
  fs::path path = kScratchRoot / unique_name(name);
  std::error_code error;
  if (!fs::create_directory(path, error))
    return Error::from_errno("creating " + path.string(), error.value());
  return Scratch{std::move(path)};
}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

Scratch::~Scratch() {
  if (!path_.empty()) remove_scratch(path_);
}

Result<std::string> Scratch::mount_bpffs() {
  const fs::path at = path_ / kBpffs;
  std::error_code error;
  fs::create_directory(at, error);
  if (mount(kBpffs, at.c_str(), "bpf", 0, nullptr) != 0)
    return Error::from_errno("mounting a bpffs at " + at.string());
  return at.string();
}

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file) return Error::from_errno("writing " + path.string());
  return {};
}

}  // namespace fw::test
