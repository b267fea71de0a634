// SPDX-License-Identifier: GPL-2.0-only
// The network of the product's main job: client -- router -- host -- containers.
//
//   client eth0 198.51.100.10, 2001:db8:1::10
//     |
//   router wan0 198.51.100.1, 2001:db8:1::1
//          lan0 192.168.1.1, fd00:1::1
//     |
//   host   eth0 192.168.1.100, fd00:1::100
//          brN 172.20.N.1, fd00:dead:beef:N::1   one bridge per container network
//     |
//   containers eth0 172.20.N.ID, fd00:dead:beef:N::ID
//
// Every machine routes to every other one when nothing filters, so that a test which sees no
// answer has seen a firewall, not a missing route. Router and host forward in the kernel.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/daemon.h"
#include "tests/support/netns.h"
#include "tests/support/nginx.h"

namespace fw::test {

struct ContainerSpec {
  std::string name = "web";
  unsigned network = 1;  // N above, 1 to 9
  unsigned id = 10;      // the last part of both addresses, 10 to 99
  bool bridged = true;   // false: its veth is routed to directly
};

struct LabOptions {
  std::vector<ContainerSpec> containers = {{}};
  // Senders finish TCP and UDP checksums themselves, as if a NIC were in between, so that XDP
  // can take their packets.
  bool finish_checksums = false;
};

struct Container {
  ContainerSpec spec;
  NetNs netns;

  [[nodiscard]] std::string address4() const;
  [[nodiscard]] std::string address6() const;
  [[nodiscard]] std::string host_link() const { return "v-" + spec.name; }
};

class Lab {
 public:
  static Result<std::unique_ptr<Lab>> create(const LabOptions& options = {});
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  const NetNs client;
  const NetNs router;
  const NetNs host;

  // Aborts on a name that was not asked for.
  [[nodiscard]] const Container& container(std::string_view name = "web") const;

  // `fwd` ready and enforcing in that namespace; the Lab owns it.
  Result<Daemon*> enforce(const NetNs& where, std::string_view policy);
  // curl from the client: the answer's body is in `out`, and a status of 28 is its timeout.
  [[nodiscard]] Output get(std::string_view url, milliseconds timeout = milliseconds{3000}) const;

 private:
  Lab(NetNs a, NetNs b, NetNs c) : client(std::move(a)), router(std::move(b)), host(std::move(c)) {}
  Result<void> wire(const LabOptions& options);
  Result<void> add_container(const ContainerSpec& spec);

  std::deque<Container> containers_;              // references to them stay valid
  std::vector<std::unique_ptr<Daemon>> daemons_;  // end before the namespaces
};

// The addresses above.
inline constexpr const char* kClient4 = "198.51.100.10";
inline constexpr const char* kClient6 = "2001:db8:1::10";
inline constexpr const char* kRouterWan4 = "198.51.100.1";
inline constexpr const char* kRouterWan6 = "2001:db8:1::1";
inline constexpr const char* kHost4 = "192.168.1.100";
inline constexpr const char* kHost6 = "fd00:1::100";

// The two policies of the main job: router:80 -> host:8080 -> web:80. `datapath` is the mode of
// every interface that faces a wire: "auto", "xdp" or "tc".
std::string router_policy(std::string_view datapath = "auto");
std::string host_policy(std::string_view datapath = "auto");

}  // namespace fw::test
