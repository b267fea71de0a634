// SPDX-License-Identifier: GPL-2.0-only
// Does the laboratory itself work, without fwd in it? A firewall's test is worth what its network
// is worth: here every path is open, and everything is gone at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/lab.h"
#include "tests/support/privilege.h"
#include "tests/support/sockets.h"

namespace fw::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

bool netns_exists(const std::string& name) {
  return std::filesystem::exists("/run/netns/" + name);
}

TEST(ProcessSupport, OutputAndStatusAreCaptured) {
  const auto output = run({"sh", "-c", "cat; echo oops >&2; exit 3"},
                          {.netns = {}, .env = {}, .stdin_text = "in\n"});
  EXPECT_EQ(output.status, 3);
  EXPECT_EQ(output.out, "in\n");
  EXPECT_EQ(output.err, "oops\n");
  EXPECT_FALSE(output.timed_out);
}

TEST(ProcessSupport, WhatTakesTooLongIsKilled) {
  const auto output = run({"sleep", "60"}, {}, milliseconds{50});
  EXPECT_TRUE(output.timed_out);
  EXPECT_FALSE(output.ok());
  EXPECT_EQ(output.status, 128 + SIGKILL);
}

TEST(ProcessSupport, AMissingProgramIsSaid) {
  const auto output = run({"/no/such/program"});
  EXPECT_EQ(output.status, 127);
  EXPECT_THAT(output.err, HasSubstr("/no/such/program could not be started"));
}

TEST(ProcessSupport, TheDestructorEndsTheProcess) {
  pid_t pid = 0;
  {
    FW_ASSIGN(auto process, Process::start({"sleep", "60"}));
    pid = process.pid();
    EXPECT_TRUE(process.running());
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(NetnsSupport, ANamespaceLivesAsLongAsItsObject) {
  FW_REQUIRE_ROOT();
  std::string name;
  {
    FW_ASSIGN(const auto netns, NetNs::create("short"));
    name = netns.name();
    EXPECT_TRUE(netns_exists(name));
  }
  EXPECT_FALSE(netns_exists(name));
}

TEST(NetnsSupport, OnlyTheGuestThreadEnters) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto netns, NetNs::create("guest"));
  FW_ASSERT_OK(netns.ip("link add only-here type bridge"));
  EXPECT_NE(netns.ifindex("only-here"), 0U);
  EXPECT_EQ(if_nametoindex("only-here"), 0U);
}

TEST(NetnsSupport, AFailedIpLineSaysWhich) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto netns, NetNs::create("bad"));
  const auto result = netns.ip("link set lo up\nlink set nowhere up");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("nowhere"));
}

TEST(NetnsSupport, LeftoversOfADeadProcessAreSwept) {
  FW_REQUIRE_ROOT();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {  // a test that crashes: no destructor runs
    const auto netns = NetNs::create("crash");
    auto scratch = Scratch::create("crash");
    if (!netns || !scratch || !scratch->mount_bpffs()) _exit(1);
    const std::string names = netns->name() + " " + scratch->path().string();
    _exit(write(ends[1], names.c_str(), names.size()) > 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  char text[256] = "";
  ASSERT_GT(read(ends[0], text, sizeof(text) - 1), 0);
  close(ends[0]);
  close(ends[1]);
  const std::string names{text};
  const auto space = names.find(' ');
  ASSERT_TRUE(netns_exists(names.substr(0, space)));
  ASSERT_TRUE(std::filesystem::exists(names.substr(space + 1)));
  sweep_leftovers();
  EXPECT_FALSE(netns_exists(names.substr(0, space)));
  EXPECT_FALSE(std::filesystem::exists(names.substr(space + 1)));
}

TEST(NetnsSupport, TheSweepLeavesOthersAlone) {
  EXPECT_EQ(dead_owner("fwt-" + std::to_string(getpid()) + "-x-0"), 0);
  EXPECT_EQ(dead_owner("fwt-bench-7"), 0);
  EXPECT_EQ(dead_owner("other-999999"), 0);
  EXPECT_EQ(dead_owner("fwt-999999999"), 0);
  EXPECT_EQ(dead_owner("fwt-999999999-x-0"), 999999999);
}

TEST(LabSupport, EveryPathIsOpenWithoutAFirewall) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(
      const auto lab,
      Lab::create({.containers = {{.name = "web"},
                                  {.name = "db", .id = 11},
                                  {.name = "direct", .network = 2, .id = 20, .bridged = false}}}));
  for (const auto* name : {"web", "db", "direct"}) {
    const auto& container = lab->container(name);
    for (const auto transport : {Transport::kTcp, Transport::kUdp}) {
      FW_ASSIGN(const auto server, EchoServer::start(container.netns, transport, 7));
      EXPECT_EQ(why_unreachable(lab->client, transport, {container.address4(), 7}), "") << name;
      EXPECT_EQ(why_unreachable(lab->client, transport, {container.address6(), 7}), "") << name;
      const auto peers = server->peers();
      ASSERT_THAT(peers, SizeIs(2)) << name;
      EXPECT_EQ(peers[0].address, kClient4);
      EXPECT_EQ(peers[1].address, kClient6);
    }
  }
  FW_ASSIGN(const auto server, EchoServer::start(lab->container("db").netns, Transport::kTcp, 7));
  EXPECT_EQ(why_unreachable(lab->container("web").netns, Transport::kTcp,
                            {lab->container("db").address4(), 7}),
            "");
}

TEST(LabSupport, PingWorksInBothFamilies) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto lab, Lab::create());
  for (const auto& address : {std::string{kHost4}, std::string{kHost6}, lab->container().address4(),
                              lab->container().address6()})
    EXPECT_TRUE(lab->client.run({"ping", "-c1", "-W2", address}).ok()) << address;
}

TEST(LabSupport, NginxSeesTheClient) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto lab, Lab::create({.containers = {{}}, .finish_checksums = true}));
  FW_ASSIGN(const auto nginx, Nginx::start(lab->container().netns));
  const auto answer = lab->get("http://" + lab->container().address4() + "/");
  EXPECT_EQ(answer.out, "you are 198.51.100.10\n") << answer.describe();
  const auto answer6 = lab->get("http://[" + lab->container().address6() + "]/");
  EXPECT_EQ(answer6.out, "you are 2001:db8:1::10\n") << answer6.describe();
  EXPECT_THAT(nginx.access_log(), Contains("2001:db8:1::10 200 GET / HTTP/1.1"));
  EXPECT_EQ(lab->get("http://" + lab->container().address4() + "/big").out.size(),
            Nginx::kBigBytes);
}

TEST(LabSupport, AClosedPortAndSilenceAreToldApart) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto lab, Lab::create());
  const auto refused = Client::connect(lab->client, Transport::kTcp, {kHost4, 9});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
  FW_ASSERT_OK(lab->host.ip("route add blackhole 198.51.100.0/24"));
  const auto silent = Client::connect(lab->client, Transport::kTcp, {kHost4, 9}, milliseconds{300});
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ETIMEDOUT);
}

TEST(LabSupport, ADaemonThatCannotStartIsQuoted) {
  FW_REQUIRE_ROOT();
  FW_ASSIGN(const auto netns, NetNs::create("daemon"));
  FW_ASSIGN(const auto folder, Scratch::create("bin"));
  FW_ASSERT_OK(write_file(folder.path() / "fwd", "#!/bin/sh\necho no BTF here >&2\nexit 4\n"));
  std::filesystem::permissions(folder.path() / "fwd", std::filesystem::perms::owner_all);
  setenv("FWD_BIN_DIR", folder.path().c_str(), 1);
  FW_ASSIGN(const auto daemon, Daemon::create(netns, "version: 1\n"));
  const auto started = daemon->start();
  unsetenv("FWD_BIN_DIR");
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("exit status 4"));
  EXPECT_THAT(started.error().message, HasSubstr("no BTF here"));
}

}  // namespace
}  // namespace fw::test
