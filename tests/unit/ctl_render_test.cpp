// SPDX-License-Identifier: GPL-2.0-only
// What fwctl prints, to the letter.
#include "ctl/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "ctl/verbs.h"

namespace fw::ctl {
namespace {

using control::CountersReport;
using control::FlowsReport;
using control::StatusReport;
using testing::HasSubstr;

const Style kPlain{};

TEST(Render, BytesInPowersOfThousand) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(1'234'567), "1.2 MB");
  EXPECT_EQ(human_bytes(999'999), "1.0 MB");
  EXPECT_EQ(human_bytes(~0ULL), "18.4 EB");
}

TEST(Render, Durations) {
  EXPECT_EQ(human_duration(0), "0s");
  EXPECT_EQ(human_duration(61), "1m1s");
  EXPECT_EQ(human_duration(7199), "1h59m");
  EXPECT_EQ(human_duration(273'600), "3d4h");
}

TEST(Render, Endpoints) {
  EXPECT_EQ(endpoint("192.0.2.1", 80), "192.0.2.1:80");
  EXPECT_EQ(endpoint("2001:db8::1", 80), "[2001:db8::1]:80");
  EXPECT_EQ(endpoint("2001:db8::1", 0), "2001:db8::1");
}

TEST(Render, WrapBreaksBetweenWordsOnly) {
  EXPECT_EQ(wrap("aa bb cc", 5), (std::vector<std::string>{"aa bb", "cc"}));
  EXPECT_EQ(wrap("2001:db8::1234 x", 5), (std::vector<std::string>{"2001:db8::1234", "x"}));
  EXPECT_EQ(wrap("", 5), std::vector<std::string>{""});
}

TEST(Render, ColourIsBesideTheWordAndOnlyWhenAsked) {
  StatusReport report;
  report.why = "x";
  EXPECT_EQ(render(report, kPlain).find('\x1b'), std::string::npos);
  EXPECT_THAT(render(report, Style{.colour = true}),
              HasSubstr("\x1b[1;31mNOT enforcing\x1b[0m: x"));
}

StatusReport some_status() {
  StatusReport report;
  report.enforcing = true;
  report.policy = control::PolicyStatus{"shop", 7, "2026-11-20T12:00:00Z", "more doors"};
  report.interfaces = {{"eth0", "uplink", "tc",
                        "veth: XDP would copy every GSO packet, and a veth carries little else; "
                        "set host.datapath to "
                        "force it"},
                       {"vethb2f1c", "container", "xdp", "native"}};
  report.local_doors = {true, "/sys/fs/cgroup"};
  report.flows = {1204, 1048576};
  report.engines = {{"unix:///run/docker.sock", "docker 20.10.24", ""}};
  report.containers = {{"shop-proxy", "proxy", "dmz", "172.20.1.10", "vethb2f1c", true, ""},
                       {"", "api", "none", "172.20.2.12", "", true, "not heard from yet"},
                       {"scraper", "", "", "", "", false, "it has the host's own network"}};
  return report;
}

TEST(Render, Status) {
  EXPECT_EQ(render(some_status(), kPlain),
            R"(enforcing shop@7

INTERFACE  ROLE       MODE  WHY
eth0       uplink     tc    veth: XDP would copy every GSO packet, and a veth carries little else;
                            set host.datapath to force it
vethb2f1c  container  xdp   native

CONTAINER   SERVICE  ZONE  ADDRESS      INTERFACE  STATE
shop-proxy  proxy    dmz   172.20.1.10  vethb2f1c  enforced
-           api      none  172.20.2.12  -          enforced; not heard from yet
scraper     -        -     -            -          not enforced: it has the host's own network

policy      shop@7, applied 2026-11-20T12:00:00Z: more doors
local doors open: /sys/fs/cgroup
flows       1204 of 1048576 in use (0.1 %)
engines     docker 20.10.24 at unix:///run/docker.sock
containers  2 of 3 enforced
next        nothing to mend; 'fwctl counters' shows what is let through and dropped
)");
}

TEST(Render, StatusWithoutAPolicy) {
  StatusReport report;
  report.why = "no policy was applied yet";
  EXPECT_EQ(render(report, kPlain), R"(NOT enforcing: no policy was applied yet

no interface is taken part on

policy      none yet
flows       0 in use
containers  none named by a service
next        apply a policy: fwctl apply -f /etc/fwd/fwd.yaml
)");
}

CountersReport some_counters() {
  CountersReport report;
  report.rules = {{"a -> b", "fwd.yaml", 9, {0, 0}},
                  {"proxy -> api:8000/tcp", "fwd.yaml", 12, {42, 1234567}},
                  {"lan -> host:22/tcp", "fwd.yaml", 4, {1204, 99}, 17}};
  report.publish = {{"http", {10, 1000}}};
  report.drops = {{"NO_RULE", {3, 180}}, {"MARTIAN", {0, 0}}};
  return report;
}

TEST(Render, CountersSortedWithoutZeros) {
  EXPECT_EQ(render(some_counters(), false, kPlain), R"(PACKETS   BYTES  RULE
   1204    99 B  lan -> host:22/tcp  (fwd.yaml:4)  (and 17 over its limit)
     42  1.2 MB  proxy -> api:8000/tcp  (fwd.yaml:12)

PACKETS   BYTES  PUBLISH
     10  1.0 kB  http

PACKETS  BYTES  DROPPED
      3  180 B  NO_RULE
)");
}

TEST(Render, CountersWithZeros) {
  const auto text = render(some_counters(), true, kPlain);
  EXPECT_THAT(text, HasSubstr("      0     0 B  a -> b  (fwd.yaml:9)\n"));
  EXPECT_THAT(text, HasSubstr("      0    0 B  MARTIAN\n"));
  EXPECT_EQ(render(CountersReport{}, false, kPlain), "nothing counted yet\n");
}

TEST(Render, Flows) {
  FlowsReport report{.total = 2, .flows = {}};
  report.flows = {
      {"udp",
       {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:2", 5353, 53},
       {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:9", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:2", 40000, 53},
       "half-open",
       {1, 80},
       {0, 0},
       7,
       30,
       "",
       "dmz",
       "internet"},
      {"tcp",
       {"198.51.100.7", "192.0.2.1", 51324, 8080},
       {"198.51.100.7", "172.20.1.10", 51324, 80},
       "established",
       {12, 1200},
       {10, 18200},
       7,
       7199,
       "http",
       "internet",
       "dmz"}};
  EXPECT_EQ(render(report, kPlain), R"(tcp   198.51.100.7:51324 -> 192.0.2.1:8080 => 172.20.1.10:80
      established, internet -> dmz by 'http', sent 12 packets (1.2 kB),
      replies 10 packets (18.2 kB), expires in 1h59m, generation 7
udp   [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:5353 -> [2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:53
      => [2001:db8:aaaa:bbbb:cccc:dddd:eeee:9]:40000 -> [2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:53
      half-open, dmz -> internet, sent 1 packet (80 B), replies 0 packets (0 B), expires in 30s,
      generation 7
)");
  EXPECT_EQ(render(FlowsReport{}, kPlain), "no flows\n");
}

TEST(Render, Apply) {
  EXPECT_EQ(render(control::ApplyReport{"shop", 8, true, 123, {}}, kPlain),
            "applied shop@8 (123 map entries)\n");
  EXPECT_EQ(render(control::ApplyReport{"shop", 8, false, 0, {}}, kPlain),
            "unchanged: shop@8 is in force already\n");
}

}  // namespace
}  // namespace fw::ctl
