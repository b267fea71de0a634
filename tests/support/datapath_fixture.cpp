// SPDX-License-Identifier: GPL-2.0-only
// Building the machine, and asking its programs.
#include "tests/support/datapath_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "loader/config/parse.h"
#include "loader/datapath/teardown.h"
#include "loader/netlink/topology.h"
#include "tests/support/netns.h"
#include "tests/support/scratch.h"

namespace fw::test {

const char* const kPolicy = R"(
version: 1
name: packets
host:
  uplinks: [up0]
  datapath: {up0: xdp, lan0: xdp}
  admin: [lan -> host:22]
zones:
  lan: {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  office: {interfaces: [lan0], masquerade: true}
  dmz: {subnets: [172.20.1.0/24, "fd00:dead:beef:1::/64"]}
  internal: {services: [db]}
services:
  web: {addresses: [172.20.1.10, "fd00:dead:beef:1::10"], ports: {http: 80, dns: 53/udp}}
  api: {addresses: [172.20.1.11, "fd00:dead:beef:1::11"], ports: {http: 8000}}
  db: {addresses: [172.20.2.20, "fd00:dead:beef:2::20"], ports: {postgres: 5432}}
  known: {addresses: [172.20.3.10], ports: {http: 80}}
publish:
  http: {host: 8080, to: web:http, from: [internet, lan]}
  names: {host: 5353, to: web:dns, from: internet}
  data: {host: 5432, to: db:postgres, from: internet}
allow:
  - "* -> host:ping"
  - web -> api:8000
  - web -> db:5432
  - web -> internet
  - office -> internet
  - office -> web:80
  - host -> web:80
  - internet -> api:8000
block:
  - 203.0.113.0/24 -> *
  - lan -> host:22
)";

namespace {

// iproute2's batch language.
constexpr const char* kNetwork = R"(
link set up0 address 02:00:00:00:01:64
addr add 192.168.1.100/24 dev up0
addr add fd00:1::100/64 dev up0
neigh add 192.168.1.1 lladdr 02:00:00:00:01:01 dev up0 nud permanent
neigh add 192.168.1.50 lladdr 02:00:00:00:01:50 dev up0 nud permanent
neigh add fd00:1::1 lladdr 02:00:00:00:01:01 dev up0 nud permanent
neigh add fd00:1::50 lladdr 02:00:00:00:01:50 dev up0 nud permanent
route add default via 192.168.1.1
route add default via fd00:1::1
link set lan0 address 02:00:00:00:32:01
addr add 10.50.0.1/24 dev lan0
addr add fd00:50::1/64 dev lan0
neigh add 10.50.0.7 lladdr 02:00:00:00:32:07 dev lan0 nud permanent
neigh add fd00:50::7 lladdr 02:00:00:00:32:07 dev lan0 nud permanent
link add br1 address 02:00:00:14:01:01 type bridge
link set vweb master br1
link set vapi master br1
link set br1 up
addr add 172.20.1.1/24 dev br1
addr add fd00:dead:beef:1::1/64 dev br1
neigh add 172.20.1.10 lladdr 02:00:00:14:01:10 dev br1 nud permanent
neigh add fd00:dead:beef:1::10 lladdr 02:00:00:14:01:10 dev br1 nud permanent
neigh add 172.20.1.11 lladdr 02:00:00:14:01:11 dev br1 nud permanent
neigh add fd00:dead:beef:1::11 lladdr 02:00:00:14:01:11 dev br1 nud permanent
link set vdb address 02:00:00:14:02:01 mtu 1400
addr add 172.20.2.1/24 dev vdb
addr add fd00:dead:beef:2::1/64 dev vdb
neigh add 172.20.2.20 lladdr 02:00:00:14:02:20 dev vdb nud permanent
neigh add fd00:dead:beef:2::20 lladdr 02:00:00:14:02:20 dev vdb nud permanent
link set vknown address 02:00:00:14:03:01
addr add 172.20.3.1/24 dev vknown
neigh add 172.20.3.10 lladdr 02:00:00:14:03:10 dev vknown nud permanent
neigh add 172.20.3.99 lladdr 02:00:00:14:03:99 dev vknown nud permanent
)";

constexpr std::array kLinks = {"up0", "lan0", "vweb", "vapi", "vdb", "vknown"};

const char* link_of(At at) {
  switch (at) {
    case At::kXdpUp:
    case At::kTcUp:
    case At::kOutUp:
      return "up0";
    case At::kXdpLan:
    case At::kTcLan:
      return "lan0";
    case At::kFromWeb:
    case At::kOutWeb:
      return "vweb";
    case At::kFromApi:
      return "vapi";
    case At::kFromDb:
    case At::kOutDb:
      return "vdb";
    case At::kFromKnown:
      return "vknown";
  }
  return "";
}

int open_own_namespace() {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

// Going on in the wrong namespace would change the machine's own network.
void must_enter(int fd) {
  if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0) return;
  std::perror("changing the network namespace");
  std::abort();
}

std::unique_ptr<Machine>& the_machine() {
  static std::unique_ptr<Machine> machine;
  return machine;
}

// Ends the machine after the last test, while GoogleTest can still report.
class EndMachine : public testing::Environment {
 public:
  void TearDown() override { the_machine().reset(); }
};
[[maybe_unused]] const auto* const kEndMachine =
    testing::AddGlobalTestEnvironment(new EndMachine);  // GoogleTest owns it

}  // namespace

struct Machine::Parts {
  NetNs host;
  NetNs world;  // every far end
  Scratch scratch;
};

Eth at_up() {
  return {.src = kRouterMac, .dst = kUpMac};
}
Eth at_lan() {
  return {.src = kOfficeMac, .dst = kLanMac};
}
Eth at_bridge(const char* mac) {
  return {.src = mac, .dst = kBridgeMac};
}
Eth at_vdb() {
  return {.src = kDbMac, .dst = kVdbMac};
}
Eth at_vknown(const char* mac) {
  return {.src = mac, .dst = kVknownMac};
}
Eth to_world() {
  return {.src = kUpMac, .dst = kRouterMac};
}
Eth to_office() {
  return {.src = kLanMac, .dst = kOfficeMac};
}
Eth to_web() {
  return {.src = kBridgeMac, .dst = kWebMac};
}
Eth to_db() {
  return {.src = kVdbMac, .dst = kDbMac};
}
Eth from_host() {
  return to_world();
}

const char* to_string(At at) {
  constexpr std::array kNames = {"fw_xdp on up0",      "fw_xdp on lan0",      "fw_wire_in on up0",
                                 "fw_wire_in on lan0", "fw_ctr_in on vweb",   "fw_ctr_in on vapi",
                                 "fw_ctr_in on vdb",   "fw_ctr_in on vknown", "fw_out on up0",
                                 "fw_out on vweb",     "fw_out on vdb"};
  return kNames.at(static_cast<std::size_t>(at));
}

Machine::Machine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Machine::~Machine() {
  for (const auto& [chunk, fd] : chunks_) close(fd);
  if (!datapath_) return;
  const auto ended =
      parts_->host.enter([this] { return datapath::Datapath::teardown(std::move(*datapath_)); });
  EXPECT_TRUE(ended) << (ended ? "" : ended.error().message);
}

Result<Machine*> Machine::get() {
  static std::string failure;
  if (!failure.empty()) return Error{failure};
  if (!the_machine()) {
    auto made = create();
    if (!made) {
      failure = made.error().message;
      return made.error();
    }
    the_machine() = *std::move(made);
  }
  return the_machine().get();
}

Result<std::unique_ptr<Machine>> Machine::create() {
  auto host = NetNs::create("packets");
  if (!host) return host.error();
  auto world = NetNs::create("world");
  if (!world) return world.error();
  auto scratch = Scratch::create("packets");
  if (!scratch) return scratch.error();
  for (const char* link : kLinks) {
    const std::string far = std::string{"far-"} + link;
    if (auto made = connect(*host, link, *world, far); !made) return made.error();
    if (auto set = world->offload(far, "gro", true); !set) return set.error();
  }
  if (auto wired = host->ip(kNetwork); !wired) return wired.error();
  for (const auto& [link, mac] : {std::pair{"vweb", kWebMac}, std::pair{"vapi", kApiMac}}) {
    const auto added = host->run({"bridge", "fdb", "add", mac, "dev", link, "master", "static"});
    if (!added.ok()) return Error{"adding a bridge entry: " + added.err};
  }

  auto made_of =
      std::make_unique<Parts>(Parts{*std::move(host), *std::move(world), *std::move(scratch)});
  std::unique_ptr<Machine> machine{new Machine{std::move(made_of)}};
  const Parts& parts = *machine->parts_;
  for (const char* link : kLinks) machine->ifindexes_[link] = parts.host.ifindex(link);
  auto started = parts.host.enter([&] {
    return datapath::Datapath::start(
        {.bpffs = parts.scratch / "pins", .sizes = {.flows = 1U << 17U, .half = 1U << 17U}});
  });
  if (!started) return started.error();
  machine->datapath_ = std::make_unique<datapath::Datapath>(*std::move(started));
  return machine;
}

Result<void> Machine::enforce(std::string_view policy) {
  if (policy == policy_) return {};
  return parts_->host.enter([&] { return put_in_force(policy); });
}

Result<void> Machine::put_in_force(std::string_view text) {
  const auto parsed = config::parse({"test.yaml", std::string{text}});
  if (!parsed.policy) return Error{to_string(parsed.diagnostics.front())};
  const auto topology = netlink::read_topology();
  if (!topology) return topology.error();
  const auto placement = compile::place(*parsed.policy, *topology);
  auto image = compile::compile(*parsed.policy, *topology, placement, book_);
  if (!image) return image.error();
  image_ = *std::move(image);
  if (auto applied = datapath_->apply(image_, datapath_->generation() + 1); !applied)
    return applied;
  policy_ = text;
  placement_ = placement;
  return datapath_->update(placement, *topology, parsed.policy->host.datapath);
}

int Machine::program(At at) const {
  const auto& programs = datapath_->programs();
  switch (at) {
    case At::kXdpUp:
    case At::kXdpLan:
      return programs.xdp();
    case At::kTcUp:
    case At::kTcLan:
      return programs.wire_in();
    case At::kOutUp:
    case At::kOutWeb:
    case At::kOutDb:
      return programs.out();
    default:
      return programs.container_in();
  }
}

std::uint32_t Machine::ifindex(At at) const {
  return ifindexes_.at(link_of(at));
}

Result<RunResult> Machine::run(At at, const Bytes& frame, const TcRun& context) const {
  if (is_xdp(at)) return run_xdp(program(at), frame, {.ingress_ifindex = ifindex(at)});
  TcRun run = context;
  run.ifindex = ifindex(at);
  return run_tc(program(at), frame, run);
}

Result<std::string> Machine::counted() {
  const auto now = datapath_->accounts();
  if (!now) return now.error();
  last_.resize(now->size());
  std::string names;
  for (std::uint32_t i = 0; i < now->size(); ++i) {
    const auto packets = (*now)[i].packets;
    if (packets != last_[i]) {
      names += (names.empty() ? "" : ", ") + name_of(i);
      if (packets - last_[i] != 1) names += " x" + std::to_string(packets - last_[i]);
    }
    last_[i] = packets;
  }
  return names;
}

std::uint64_t Machine::packets_at(std::uint32_t account) {
  const std::uint32_t chunk = account / FW_ACCOUNTS_PER_CHUNK;
  const std::uint32_t index = account % FW_ACCOUNTS_PER_CHUNK;
  auto known = chunks_.find(chunk);
  if (known == chunks_.end()) {
    std::uint32_t id = 0;
    if (bpf_map_lookup_elem(datapath_->programs().maps().accounts.fd, &chunk, &id) != 0) return 0;
    known = chunks_.emplace(chunk, bpf_map_get_fd_by_id(id)).first;
  }
  std::vector<fw_account> counts(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  if (bpf_map_lookup_elem(known->second, &index, counts.data()) != 0) return 0;
  std::uint64_t sum = 0;
  for (const fw_account& count : counts) sum += count.packets;
  return sum;
}

std::string Machine::name_of(std::uint32_t account) const {
  if (account >= book_.size()) return "account " + std::to_string(account);
  const auto& name = book_.names()[account];
  return name.subject + " " + name.from_zone + " " + name.to_zone;
}

std::string Machine::namespace_path() const {
  return parts_->host.path();
}

void PacketTest::SetUp() {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(machine_, Machine::get());
  FW_ASSERT_OK(machine_->enforce(kPolicy));
  FW_ASSERT_OK(machine_->forget_flows());
  FW_ASSERT_OK(machine_->counted());
  home_ = open_own_namespace();
  const int there = open(machine_->namespace_path().c_str(), O_RDONLY | O_CLOEXEC);
  must_enter(there);
  close(there);
}

void PacketTest::TearDown() {
  if (home_ < 0) return;
  must_enter(home_);
  close(home_);
}

Sent PacketTest::send(At at, const Bytes& frame, const TcRun& context) {
  auto result = machine_->run(at, frame, context);
  if (!result) {
    ADD_FAILURE() << to_string(at) << ": " << result.error().message;
    return {};
  }
  auto counted = machine_->counted();
  EXPECT_TRUE(counted);
  return {result->action, std::move(result->packet), counted ? *counted : std::string{}};
}

void PacketTest::enforce(std::string_view policy) {
  FW_ASSERT_OK(machine_->enforce(policy));
}

void PacketTest::forget_flows() {
  FW_ASSERT_OK(machine_->forget_flows());
}

void PacketTest::expect_forward(At at, const Bytes& frame, const Bytes& want,
                                const std::string& counted, const TcRun& context) {
  SCOPED_TRACE(std::string{to_string(at)} + " forwards\n" + decode(frame));
  const Sent sent = send(at, frame, context);
  EXPECT_EQ(sent.action, is_xdp(at) ? kXdpRedirect : kTcRedirect);
  EXPECT_THAT(sent.packet, IsPacket(want));
  EXPECT_EQ(sent.counted, counted);
}

void PacketTest::expect_drop(At at, const Bytes& frame, const std::string& counted,
                             const TcRun& context) {
  SCOPED_TRACE(std::string{to_string(at)} + " drops\n" + decode(frame));
  const Sent sent = send(at, frame, context);
  EXPECT_EQ(sent.action, is_xdp(at) ? kXdpDrop : kTcDrop);
  EXPECT_THAT(sent.packet, IsPacket(frame));
  EXPECT_EQ(sent.counted, counted);
}

void PacketTest::expect_stack(At at, const Bytes& frame, const std::string& counted) {
  expect_stack(at, frame, frame, counted);
}

void PacketTest::expect_stack(At at, const Bytes& frame, const Bytes& want,
                              const std::string& counted) {
  if (is_xdp(at)) {
    expect_untouched(at, frame);
    return;
  }
  SCOPED_TRACE(std::string{to_string(at)} + " leaves to the stack\n" + decode(frame));
  const Sent sent = send(at, frame);
  EXPECT_EQ(sent.action, kTcNext);
  EXPECT_THAT(sent.packet, IsPacket(want));
  EXPECT_EQ(sent.counted, counted);
}

void PacketTest::expect_untouched(At at, const Bytes& frame, const TcRun& context) {
  SCOPED_TRACE(std::string{to_string(at)} + " does not touch\n" + decode(frame));
  const Sent sent = send(at, frame, context);
  EXPECT_EQ(sent.action, is_xdp(at) ? kXdpPass : kTcNext);
  EXPECT_THAT(sent.packet, IsPacket(frame));
  EXPECT_EQ(sent.counted, "");
}

}  // namespace fw::test
