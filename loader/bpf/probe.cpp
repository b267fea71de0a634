// SPDX-License-Identifier: GPL-2.0-only
// Probes of the kernel and of this process.
#include "loader/bpf/probe.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>

#include <linux/capability.h>

namespace fw::bpf {
namespace {

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

// Debian 12: the oldest kernel with frags in XDP, bpf_loop and link-based XDP that fwd is run on.
constexpr unsigned kMajor = 6;
constexpr unsigned kMinor = 1;

std::uint64_t effective_capabilities(std::string_view status) {
  constexpr std::string_view kLabel = "CapEff:";
  const auto at = status.find(kLabel);
  if (at == std::string_view::npos) return 0;
  auto digits = status.substr(at + kLabel.size());
  digits.remove_prefix(std::min(digits.find_first_not_of(" \t"), digits.size()));
  std::uint64_t bits = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  return bits;
}

}  // namespace

Result<void> check_kernel_release(std::string_view release) {
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = release.data() + release.size();
  auto [rest, error] = std::from_chars(release.data(), end, major);
  if (error == std::errc{} && rest != end) std::from_chars(rest + 1, end, minor);
  if (major > kMajor || (major == kMajor && minor >= kMinor)) return {};
  return Error{"kernel " + std::to_string(major) + "." + std::to_string(minor) +
               " is too old: fwd needs 6.1 or later"};
}

Result<void> check_capabilities(std::string_view status) {
  const auto bits = effective_capabilities(status);
  const auto has = [bits](unsigned capability) { return ((bits >> capability) & 1U) != 0; };
  const auto need = [](const char* name, const char* reason) {
    return Error{std::string{"fwd needs "} + name + " " + reason +
                     "; run it as root or grant the capability in its service unit",
                 EPERM};
  };
  // CAP_SYS_ADMIN holds CAP_BPF and CAP_PERFMON in it, not the other way round.
  if (!has(CAP_SYS_ADMIN) && !has(CAP_BPF)) return need("CAP_BPF", "to load its programs");
  if (!has(CAP_NET_ADMIN)) return need("CAP_NET_ADMIN", "to attach to network interfaces");
  if (!has(CAP_SYS_ADMIN))
    return need("CAP_SYS_ADMIN", "to open pinned maps and the network namespaces of containers");
  return {};
}

Result<void> check_system() {
  std::ifstream file{"/proc/self/status"};
  const std::string status{std::istreambuf_iterator<char>{file}, {}};
  if (auto able = check_capabilities(status); !able) return able.error();

  utsname system{};
  uname(&system);
  if (auto recent = check_kernel_release(system.release); !recent) return recent.error();

  if (access(kBtf, R_OK) != 0)
    return Error{std::string{"the kernel has no BTF ("} + kBtf +
                 " is missing): fwd needs a kernel built with CONFIG_DEBUG_INFO_BTF=y"};
  return {};
}

}  // namespace fw::bpf
