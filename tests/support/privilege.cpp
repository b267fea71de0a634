// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace fw::test {

std::string missing_capabilities() {
  static constexpr std::array<std::pair<unsigned, const char*>, 4> kNeeded = {{
      {CAP_NET_ADMIN, "CAP_NET_ADMIN"},  // links, addresses, attaching programs
      {CAP_BPF, "CAP_BPF"},
      {CAP_PERFMON, "CAP_PERFMON"},
      {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},  // network namespaces, mounting a bpffs
  }};
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return "capget(2)";
  std::string missing;
  for (const auto& [number, name] : kNeeded) {
    if ((sets[number / 32].effective >> number % 32 & 1) != 0) continue;
    missing += (missing.empty() ? "" : ", ") + std::string{name};
  }
  return missing;
}

bool privileges_required() {
  const char* value = std::getenv("FW_REQUIRE_PRIVILEGED");
  return value != nullptr && std::string_view{value} == "1";
}

}  // namespace fw::test
