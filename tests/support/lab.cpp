// SPDX-License-Identifier: GPL-2.0-only
#include "tests/support/lab.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fw::test {
namespace {

constexpr const char* kClientLines = R"(
addr add 198.51.100.10/24 dev eth0
addr add 2001:db8:1::10/64 dev eth0
route add default via 198.51.100.1
route add default via 2001:db8:1::1
)";

constexpr const char* kRouterLines = R"(
addr add 198.51.100.1/24 dev wan0
addr add 2001:db8:1::1/64 dev wan0
addr add 192.168.1.1/24 dev lan0
addr add fd00:1::1/64 dev lan0
route add 172.20.0.0/16 via 192.168.1.100
route add fd00:dead:beef::/48 via fd00:1::100
)";

constexpr const char* kHostLines = R"(
addr add 192.168.1.100/24 dev eth0
addr add fd00:1::100/64 dev eth0
route add default via 192.168.1.1
route add default via fd00:1::1
)";

// {0}: network, {1}: the container's id, {2}: the host's link to it.
constexpr const char* kBridgeLines = R"(
link add br{0} type bridge
addr add 172.20.{0}.1/24 dev br{0}
addr add fd00:dead:beef:{0}::1/64 dev br{0}
link set br{0} up
)";
constexpr const char* kBridgePortLines = "link set {2} master br{0}";
constexpr const char* kDirectLines = R"(
addr add 172.20.{0}.1/32 dev {2}
addr add fd00:dead:beef:{0}::1/128 dev {2}
route add 172.20.{0}.{1}/32 dev {2}
route add fd00:dead:beef:{0}::{1}/128 dev {2}
)";
constexpr const char* kContainerLines = R"(
addr add 172.20.{0}.{1}/24 dev eth0
addr add fd00:dead:beef:{0}::{1}/64 dev eth0
route add default via 172.20.{0}.1
route add default via fd00:dead:beef:{0}::1
)";

std::string for_container(const char* lines, const ContainerSpec& spec) {
  return fmt::format(fmt::runtime(lines), spec.network, spec.id, "v-" + spec.name);
}

// The first error of a list of steps.
template <class... Steps>
Result<void> in_order(Steps... steps) {
  Result<void> result;
  (void)((result = steps(), static_cast<bool>(result)) && ...);
  return result;
}

Result<void> forward_in_kernel(const NetNs& netns) {
  return in_order([&] { return netns.sysctl("net/ipv4/ip_forward", "1"); },
                  [&] { return netns.sysctl("net/ipv6/conf/all/forwarding", "1"); });
}

}  // namespace

std::string Container::address4() const {
  return fmt::format("172.20.{}.{}", spec.network, spec.id);
}

std::string Container::address6() const {
  return fmt::format("fd00:dead:beef:{}::{}", spec.network, spec.id);
}

Result<std::unique_ptr<Lab>> Lab::create(const LabOptions& options) {
  auto client = NetNs::create("client");
  if (!client) return client.error();
  auto router = NetNs::create("router");
  if (!router) return router.error();
  auto host = NetNs::create("host");
  if (!host) return host.error();
  std::unique_ptr<Lab> lab{new Lab{*std::move(client), *std::move(router), *std::move(host)}};
  if (auto wired = lab->wire(options); !wired) return wired.error();
  return lab;
}

Result<void> Lab::wire(const LabOptions& options) {
  auto wired =
      in_order([&] { return forward_in_kernel(router); }, [&] { return forward_in_kernel(host); },
               [&] { return connect(client, "eth0", router, "wan0"); },
               [&] { return connect(router, "lan0", host, "eth0"); },
               [&] { return client.ip(kClientLines); }, [&] { return router.ip(kRouterLines); },
               [&] { return host.ip(kHostLines); });
  if (!wired) return wired;
  for (const auto& spec : options.containers)
    if (auto added = add_container(spec); !added) return added;
  if (!options.finish_checksums) return {};
  for (const auto& container : containers_)
    if (auto set = container.netns.offload("eth0", "tx", false); !set) return set;
  return in_order([&] { return client.offload("eth0", "tx", false); },
                  [&] { return router.offload("wan0", "tx", false); },
                  [&] { return router.offload("lan0", "tx", false); },
                  [&] { return host.offload("eth0", "tx", false); });
}

Result<void> Lab::add_container(const ContainerSpec& spec) {
  auto netns = NetNs::create(spec.name);
  if (!netns) return netns.error();
  const bool needs_bridge =
      spec.bridged && std::ranges::none_of(containers_, [&](const Container& other) {
        return other.spec.bridged && other.spec.network == spec.network;
      });
  containers_.push_back({spec, *std::move(netns)});
  const Container& container = containers_.back();
  return in_order(
      [&] { return connect(host, container.host_link(), container.netns, "eth0"); },
      [&] { return needs_bridge ? host.ip(for_container(kBridgeLines, spec)) : Result<void>{}; },
      [&] { return host.ip(for_container(spec.bridged ? kBridgePortLines : kDirectLines, spec)); },
      [&] { return container.netns.ip(for_container(kContainerLines, spec)); });
}

const Container& Lab::container(std::string_view name) const {
  for (const auto& container : containers_)
    if (container.spec.name == name) return container;
  std::fprintf(stderr, "this lab has no container '%s'\n", std::string{name}.c_str());
  std::abort();
}

Result<Daemon*> Lab::enforce(const NetNs& where, std::string_view policy) {
  auto daemon = Daemon::create(where, policy);
  if (!daemon) return daemon.error();
  if (auto started = (*daemon)->start(); !started) return started.error();
  daemons_.push_back(*std::move(daemon));
  return daemons_.back().get();
}

Output Lab::get(std::string_view url, milliseconds timeout) const {
  const std::string seconds = fmt::format("{:.3f}", static_cast<double>(timeout.count()) / 1000);
  return client.run({"curl", "-sSg", "--noproxy", "*", "--max-time", seconds, std::string{url}},
                    timeout + milliseconds{2000});
}

std::string router_policy(std::string_view datapath) {
  return fmt::format(R"(version: 1
name: router
host:
  uplinks: [wan0]
  datapath: {{wan0: {0}, lan0: {0}}}
zones:
  lan: {{subnets: [192.168.1.0/24, "fd00:1::/64"], interfaces: [lan0], masquerade: true}}
services:
  shop: {{addresses: [192.168.1.100, "fd00:1::100"], ports: {{http: 8080}}}}
publish:
  http: {{host: 80, to: shop:http, from: internet}}
allow:
  - lan -> internet
)",
                     datapath);
}

std::string host_policy(std::string_view datapath) {
  return fmt::format(R"(version: 1
name: host
host:
  uplinks: [eth0]
  datapath: {{eth0: {0}}}
zones:
  lan: {{subnets: [192.168.1.0/24, "fd00:1::/64"]}}
  dmz: {{subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}}
services:
  web: {{addresses: [172.20.1.10, "fd00:dead:beef:1::10"], ports: {{http: 80}}}}
publish:
  http: {{router: 80, host: 8080, to: web:http, from: [internet, lan]}}
)",
                     datapath);
}

}  // namespace fw::test
