// SPDX-License-Identifier: GPL-2.0-only
// The datapath as it runs on a machine, fed by hand: real interfaces, a policy from text, and one
// packet at a time into the program of one hook.
//
//   world   198.51.100.10 and everybody else; via the router 192.168.1.1
//     |
//   up0     uplink 192.168.1.100/24, fd00:1::100/64      zone lan on it, the internet behind it
//   lan0    LAN 10.50.0.1/24, fd00:50::1/64              zone office (10.50.0.7)
//   br1     172.20.1.1/24, fd00:dead:beef:1::1/64        ports vweb (web .10) and vapi (api .11)
//   vdb     172.20.2.1/24, fd00:dead:beef:2::1/64        db .20; an MTU of 1400
//   vknown  172.20.3.1/24                                known .10, and .99 that nothing names
//
// Every neighbour is a static entry, so that the first packet of a flow finds its next hop.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loader/compile/compile.h"
#include "loader/datapath/datapath.h"
#include "tests/support/dissect.h"
#include "tests/support/packet.h"
#include "tests/support/privilege.h"
#include "tests/support/program.h"

namespace fw::test {

inline constexpr const char* kClient = "198.51.100.10";
inline constexpr const char* kClientV6 = "2001:db8:1::10";
inline constexpr const char* kSelf = "192.168.1.100";
inline constexpr const char* kSelfV6 = "fd00:1::100";
inline constexpr const char* kLanClient = "192.168.1.50";
inline constexpr const char* kOffice = "10.50.0.7";
inline constexpr const char* kWeb = "172.20.1.10";
inline constexpr const char* kWebV6 = "fd00:dead:beef:1::10";
inline constexpr const char* kApi = "172.20.1.11";
inline constexpr const char* kDb = "172.20.2.20";
inline constexpr const char* kDbV6 = "fd00:dead:beef:2::20";
inline constexpr const char* kKnown = "172.20.3.10";
inline constexpr const char* kStranger = "172.20.3.99";

inline constexpr const char* kRouterMac = "02:00:00:00:01:01";  // the neighbour on up0
inline constexpr const char* kUpMac = "02:00:00:00:01:64";
inline constexpr const char* kLanMac = "02:00:00:00:32:01";
inline constexpr const char* kOfficeMac = "02:00:00:00:32:07";
inline constexpr const char* kBridgeMac = "02:00:00:14:01:01";
inline constexpr const char* kWebMac = "02:00:00:14:01:10";
inline constexpr const char* kApiMac = "02:00:00:14:01:11";
inline constexpr const char* kVdbMac = "02:00:00:14:02:01";
inline constexpr const char* kDbMac = "02:00:00:14:02:20";
inline constexpr const char* kVknownMac = "02:00:00:14:03:01";
inline constexpr const char* kKnownMac = "02:00:00:14:03:10";

// The policy of most tests: doors http (8080 -> web:80), names (5353/udp -> web:53), data (5432 ->
// db:5432); what else is open is in the text.
extern const char* const kPolicy;

// Frames as they arrive at a hook: only the link header is filled in.
inline constexpr const char* kNobodysMac = "02:00:00:00:00:99";
Eth at_up();                                 // from the router to up0
Eth at_lan();                                // from the office to lan0
Eth at_bridge(const char* mac = kWebMac);    // from a container to the router br1
Eth at_vdb();                                // from db to the router vdb
Eth at_vknown(const char* mac = kKnownMac);  // from known to the router vknown
// Frames as they leave by redirect.
Eth to_world();   // from up0 to the router
Eth to_office();  // from lan0 to the office
Eth to_web();     // from br1 to web
Eth to_db();      // from vdb to db
Eth from_host();  // of the host's own packets, as TC egress sees them

// Actions, as the kernel numbers them.
inline constexpr std::uint32_t kXdpDrop = 1, kXdpPass = 2, kXdpRedirect = 4;
inline constexpr std::uint32_t kTcNext = 0xffffffff, kTcDrop = 2, kTcRedirect = 7;

enum class At {
  kXdpUp,
  kXdpLan,
  kTcUp,
  kTcLan,
  kFromWeb,
  kFromApi,
  kFromDb,
  kFromKnown,
  kOutUp,
  kOutWeb,
  kOutDb
};
const char* to_string(At at);
inline bool is_xdp(At at) {
  return at == At::kXdpUp || at == At::kXdpLan;
}

struct Sent {
  std::uint32_t action = 0;
  Bytes packet;
  std::string counted;  // "http internet dmz": subject, zones; "" for nothing; "," joins several
};

// One per process: loading the programs takes seconds.
class Machine {
 public:
  static Result<Machine*> get();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // Puts a policy in force unless it is already.
  Result<void> enforce(std::string_view policy);
  Result<void> forget_flows() { return datapath_->clear_flows(); }

  // Runs one program; the calling thread must be in the machine's namespace (PacketTest is).
  [[nodiscard]] Result<RunResult> run(At at, const Bytes& frame, const TcRun& context = {}) const;
  [[nodiscard]] int program(At at) const;
  [[nodiscard]] std::uint32_t ifindex(At at) const;

  // What was counted since the last call.
  Result<std::string> counted();
  // The count of one account.
  [[nodiscard]] std::uint64_t packets_at(std::uint32_t account);

  [[nodiscard]] datapath::Datapath& datapath() { return *datapath_; }
  [[nodiscard]] const compile::Image& image() const { return image_; }
  [[nodiscard]] const compile::Placement& placement() const { return placement_; }
  [[nodiscard]] const compile::AccountBook& book() const { return book_; }
  [[nodiscard]] std::string name_of(std::uint32_t account) const;
  [[nodiscard]] std::string namespace_path() const;

 private:
  struct Parts;
  explicit Machine(std::unique_ptr<Parts> parts);
  static Result<std::unique_ptr<Machine>> create();
  Result<void> put_in_force(std::string_view text);

  std::unique_ptr<Parts> parts_;
  std::unique_ptr<datapath::Datapath> datapath_;
  compile::AccountBook book_;
  compile::Image image_;
  compile::Placement placement_;
  std::string policy_;
  std::map<std::string, std::uint32_t> ifindexes_;
  std::vector<std::uint64_t> last_;      // packets by account, as counted() last saw them
  std::map<std::uint32_t, int> chunks_;  // file descriptors of the accounts' inner maps
};

// In the machine's namespace, under kPolicy, without flows.
class PacketTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Reports a failure of the run itself and returns an empty answer.
  Sent send(At at, const Bytes& frame, const TcRun& context = {});
  void enforce(std::string_view policy);
  void forget_flows();

  // Sends and compares: the whole frame, and what was counted.
  void expect_forward(At at, const Bytes& frame, const Bytes& want, const std::string& counted,
                      const TcRun& context = {});
  void expect_drop(At at, const Bytes& frame, const std::string& counted,
                   const TcRun& context = {});
  // To this host's stack: XDP passes it up uncounted, TC counts it.
  void expect_stack(At at, const Bytes& frame, const std::string& counted);
  void expect_stack(At at, const Bytes& frame, const Bytes& want, const std::string& counted);
  // Neither changed nor counted.
  void expect_untouched(At at, const Bytes& frame, const TcRun& context = {});

  Machine* machine_ = nullptr;

 private:
  int home_ = -1;  // the thread's own namespace
};

}  // namespace fw::test
