// SPDX-License-Identifier: GPL-2.0-only
// What opens doors, out of recorded words of docker 20.10, podman 4.3 and nft 1.0.6 (both engines
// ran `-p 8080:80 -p 127.0.0.1:8443:443`, docker `-p 5000-5002:5000-5002/udp` as well).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "loader/inventory/command.h"
#include "loader/inventory/nat_rules.h"
#include "loader/inventory/processes.h"
#include "loader/inventory/published.h"
#include "tests/unit/compile_model.h"

namespace fw::inventory {
namespace {

using compile::test::ip;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string recorded(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream{std::string{FW_SOURCE_DIR} + "/tests/unit/inventory/" + name}.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::vector<PublishedPort> published(const std::string& engine) {
  auto ports =
      read_containers(nlohmann::json::parse(recorded(engine + "-containers.json")), engine);
  join_ranges(ports);
  return ports;
}

// "web tcp 0.0.0.0:8080 -> 80"
std::string line(const PublishedPort& one) {
  return one.container + " " + std::string{to_string(one.proto)} + " " +
         (one.address ? one.address->to_string() : "*") + ":" + one.host.to_string() + " -> " +
         one.target.to_string();
}

std::vector<std::string> lines(const std::vector<PublishedPort>& ports) {
  std::vector<std::string> lines;
  for (const auto& one : ports) lines.push_back(line(one));
  return lines;
}

// "tcp *:8080 -> 172.17.0.2:80"
std::string line(const Redirect& one) {
  return std::string{to_string(one.proto)} + " " + (one.address ? one.address->to_string() : "*") +
         ":" + one.ports.to_string() + (one.interface.empty() ? "" : " on " + one.interface) +
         (one.to.empty() ? "" : " -> " + one.to);
}

struct Read {
  std::vector<std::string> redirects;
  std::vector<std::string> unclear;
  bool filters_input = false;
};

Read read(const std::string& json) {
  const auto rules = read_nat_rules(json);
  EXPECT_TRUE(rules) << (rules ? "" : rules.error().message);
  Read found;
  if (!rules) return found;
  for (const auto& one : rules->redirects) found.redirects.push_back(line(one));
  found.unclear = rules->unclear;
  found.filters_input = rules->filters_input;
  return found;
}

// A nat chain of prerouting with these rules, each a list of expressions.
Read read_rules(const std::vector<std::string>& rules, const std::string& more = "") {
  std::string json =
      R"({"nftables": [{"chain": {"family": "inet", "table": "t", "name": "pre", "type": "nat",
          "hook": "prerouting", "prio": -100}})" +
      more;
  int handle = 0;
  for (const auto& rule : rules)
    json += R"(, {"rule": {"family": "inet", "table": "t", "chain": "pre", "handle": )" +
            std::to_string(++handle) + R"(, "expr": [)" + rule + "]}}";
  return read(json + "]}");
}

constexpr const char* kDport80 =
    R"({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
        "right": 80}})";
constexpr const char* kDnat = R"({"dnat": {"family": "ip", "addr": "10.0.0.9", "port": 8080}})";

TEST(Published, ReadsWhatDockerLists) {
  EXPECT_THAT(lines(published("docker")),
              ElementsAre("web tcp :::8080 -> 80", "web tcp 0.0.0.0:8080 -> 80",
                          "web tcp 127.0.0.1:8443 -> 443", "web udp :::5000-5002 -> 5000-5002",
                          "web udp 0.0.0.0:5000-5002 -> 5000-5002"));
  EXPECT_THAT(published("docker").front().container_addresses, ElementsAre(ip("172.17.0.2")));
}

TEST(Published, ReadsWhatPodmanLists) {
  EXPECT_THAT(lines(published("podman")),
              ElementsAre("web tcp *:8080 -> 80", "web tcp 127.0.0.1:8443 -> 443"));
}

TEST(Published, PassesOverWhatIsNoContainer) {
  for (const char* text :
       {"{}", "null", "[]", "[7]", R"([{"Names": 3, "Ports": "x"}])",
        R"([{"Ports": [{"PublicPort": 70000, "PrivatePort": 1, "Type": "tcp"}]}])",
        R"([{"Ports": [{"PublicPort": 80, "PrivatePort": 80, "Type": "sctp"}]}])"})
    EXPECT_THAT(read_containers(nlohmann::json::parse(text), "docker"), IsEmpty()) << text;
}

TEST(NatRules, ReadsDockersRulesThroughIptables) {
  const auto found = read(recorded("docker-nft.json"));
  EXPECT_THAT(found.redirects, ElementsAre("tcp 127.0.0.1:8443", "tcp *:8080", "udp *:5002",
                                           "udp *:5001", "udp *:5000"));
  EXPECT_THAT(found.unclear, IsEmpty());
}

// Two jumps into one chain, of which each fits one rule.
TEST(NatRules, ReadsPodmansChains) {
  const auto found = read(recorded("podman-nft.json"));
  EXPECT_THAT(found.redirects, ElementsAre("tcp *:8080", "tcp 127.0.0.1:8443"));
  EXPECT_THAT(found.unclear, IsEmpty());
}

TEST(NatRules, TellsAddressInterfaceAndTarget) {
  EXPECT_THAT(read_rules({std::string{kDport80} + "," + kDnat}).redirects,
              ElementsAre("tcp *:80 -> 10.0.0.9:8080"));
  EXPECT_THAT(
      read_rules({R"({"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}},
                     {"match": {"op": "==", "left": {"payload": {"protocol": "ip",
                      "field": "daddr"}}, "right": "192.0.2.1"}},)" +
                  std::string{kDport80} + "," + kDnat})
          .redirects,
      ElementsAre("tcp 192.0.2.1:80 on eth0 -> 10.0.0.9:8080"));
}

TEST(NatRules, ReadsSetsRangesAndMaps) {
  EXPECT_THAT(read_rules({R"({"match": {"op": "==", "left": {"payload": {"protocol": "udp",
                 "field": "dport"}}, "right": {"set": [90, {"range": [100, 110]}]}}},
                 {"redirect": {"port": 9090}})"})
                  .redirects,
              ElementsAre("udp *:90 -> :9090", "udp *:100-110 -> :9090"));
  const char* by_map = R"({"dnat": {"family": "ip", "addr": {"map": {"key": {"payload":
      {"protocol": "tcp", "field": "dport"}}, "data": "@m"}}}})";
  EXPECT_THAT(read_rules({by_map}, R"(, {"map": {"family": "inet", "table": "t", "name": "m",
                 "elem": [[81, {"concat": ["10.0.0.1", 80]}], [82, "10.0.0.2"]]}})")
                  .redirects,
              ElementsAre("tcp *:81 -> 10.0.0.1:80", "tcp *:82 -> 10.0.0.2"));
}

TEST(NatRules, SaysWhichRuleHidesItsPorts) {
  const auto found =
      read_rules({R"({"xt": {"type": "match", "name": "multiport"}}, {"xt": {"type": "target",
          "name": "REDIRECT"}})"});
  EXPECT_THAT(found.redirects, IsEmpty());
  EXPECT_THAT(found.unclear, ElementsAre(HasSubstr("inet t pre handle 1")));
}

TEST(NatRules, LeavesOutWhatDoesNotComeIn) {
  EXPECT_THAT(read_rules({R"({"match": {"op": "==", "left": {"meta": {"key": "iifname"}},
                             "right": "lo"}},)" +
                          std::string{kDport80} + "," + kDnat})
                  .redirects,
              IsEmpty());
  EXPECT_FALSE(read_nat_rules("nft: command not found"));
  EXPECT_FALSE(read_nat_rules("{}"));
}

TEST(NatRules, EndsWhereChainsJumpInACircle) {
  const auto found =
      read_rules({R"({"jump": {"target": "pre"}})", std::string{kDport80} + "," + kDnat});
  EXPECT_THAT(found.redirects, testing::Contains("tcp *:80 -> 10.0.0.9:8080"));
}

TEST(Processes, FindsAContainerInACgroup) {
  const std::string id(64, 'a');
  EXPECT_EQ(container_in_cgroup("0::/system.slice/docker-" + id + ".scope\n"), id);
  EXPECT_EQ(container_in_cgroup("12:pids:/docker/" + id + "\n"), id);
  EXPECT_EQ(container_in_cgroup("0::/user.slice/session-2.scope\n"), "");
}

TEST(Command, KeepsWhatAProgramSays) {
  const auto said = run({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->status, 3);
  EXPECT_EQ(said->out, "out\n");
  EXPECT_EQ(said->err, "err\n");
  const auto missing = run({"/nonexistent/nft"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
}

}  // namespace
}  // namespace fw::inventory
