// SPDX-License-Identifier: GPL-2.0-only
// Bad input and bad circumstances: one clear sentence, the documented exit code, and what was in
// force still is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "loader/bpf/probe.h"
#include "tests/netns/world.h"
#include "tests/support/privilege.h"

namespace fw::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char* kSmall = "version: 1\nhost: {uplinks: [eth0]}\nallow: [internet -> host:7]\n";

struct BadPolicy {
  const char* name;
  std::string text;
  const char* sentence;
};

std::string nested(int depth) {
  std::string text = "version: 1\nallow: ";
  text.append(static_cast<std::size_t>(depth), '[');
  return text.append(static_cast<std::size_t>(depth), ']') + "\n";
}

std::vector<BadPolicy> bad_policies() {
  return {{"empty", "", "is empty"},
          {"binary",
           std::string("\x7f"
                       "ELF\x02\x01\x01\0\0\xff\xfe",
                       11),
           "fwd.yaml"},
          {"10 MB", "version: 1\n" + std::string(10U << 20U, '#') + "\n", "larger than"},
          {"deep", nested(100000), "fwd.yaml"},
          {"cyclic", "version: 1\nzones: &a {lan: *a}\n", "fwd.yaml"},
          {"unknown name", "version: 1\nallow: [internet -> nobody:80]\n", "nobody"}};
}

// A host with an uplink, and a peer that finds out what is open on it.
class Robustness : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto peer, NetNs::create("peer"));
    FW_ASSIGN(auto host, NetNs::create("host"));
    peer_ = std::make_unique<NetNs>(std::move(peer));
    host_ = std::make_unique<NetNs>(std::move(host));
    FW_ASSERT_OK(plug("eth0"));
    FW_ASSIGN(open_, EchoServer::start(*host_, Transport::kTcp, 7));
    FW_ASSIGN(closed_, EchoServer::start(*host_, Transport::kTcp, 8));
  }

  [[nodiscard]] Result<void> plug(const std::string& name) const {
    if (auto wired = connect(*peer_, "eth0", *host_, name); !wired) return wired;
    if (auto set = peer_->ip("addr add 10.9.0.2/24 dev eth0"); !set) return set;
    return host_->ip("addr add 10.9.0.1/24 dev " + name);
  }
  // Only port 7 is open.
  void expect_enforcing() const {
    EXPECT_EQ(why_unreachable(*peer_, Transport::kTcp, {"10.9.0.1", 7}, milliseconds{5000}), "");
    EXPECT_FALSE(Client::connect(*peer_, Transport::kTcp, {"10.9.0.1", 8}, milliseconds{150}));
  }
  // Nothing pinned, and every port open as if there were no fwd.
  void expect_untouched() const {
    EXPECT_FALSE(std::filesystem::exists(daemon_->bpffs()));
    EXPECT_EQ(why_unreachable(*peer_, Transport::kTcp, {"10.9.0.1", 8}, milliseconds{5000}), "");
  }

  Result<void> start(std::string_view policy) {
    auto daemon = Daemon::create(*host_, policy);
    if (!daemon) return daemon.error();
    daemon_ = *std::move(daemon);
    return daemon_->start();
  }

  std::unique_ptr<NetNs> peer_, host_;
  std::unique_ptr<EchoServer> open_, closed_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(Robustness, ABadPolicyAtTheStartTouchesNothing) {
  for (const auto& [name, text, sentence] : bad_policies()) {
    const auto started = start(text);
    ASSERT_FALSE(started) << name;
    EXPECT_THAT(started.error().message, AllOf(HasSubstr("exit status 2"), HasSubstr(sentence)))
        << name;
    EXPECT_LT(started.error().message.size(), 4000U) << name;
    expect_untouched();
  }
  std::filesystem::remove(daemon_->policy_file());
  const auto missing = daemon_->start();
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message,
              AllOf(HasSubstr("exit status 2"), HasSubstr("No such file")));
}

TEST_F(Robustness, AStartWithAPolicyThatFailsItsTestsTouchesNothing) {
  const auto started =
      start(std::string{kSmall} + "tests: [{name: open, from: internet, allow: [host:1]}]\n");
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message,
              AllOf(HasSubstr("exit status 1"),
                    HasSubstr("test 'open' failed: internet may not reach host:1/tcp")));
  expect_untouched();
}

TEST_F(Robustness, ABadPolicyLaterLeavesTheOldOneInForce) {
  FW_ASSERT_OK(start(kSmall));
  for (const auto& [name, text, sentence] : bad_policies()) {
    const auto applied = daemon_->apply(text);
    EXPECT_EQ(applied.status, 2) << name << applied.describe();
    EXPECT_THAT(applied.err, HasSubstr(sentence)) << name;
    EXPECT_EQ(applied.out, "") << name;
  }
  expect_enforcing();
  // The file still holds the last of them.
  ASSERT_EQ(kill(daemon_->pid(), SIGHUP), 0);
  EXPECT_TRUE(eventually(milliseconds{5000}, [&] {
    return daemon_->log().find("nothing was changed") != std::string::npos;
  })) << daemon_->log();
  expect_enforcing();
  EXPECT_EQ(ask(*daemon_, {"status"})["policy"]["generation"], 1);
  FW_ASSERT_OK(
      daemon_->write_policy("version: 1\nname: reread\nhost: {uplinks: [eth0]}\n"
                            "allow: [internet -> host:7]\n"));
  ASSERT_EQ(kill(daemon_->pid(), SIGHUP), 0);
  EXPECT_TRUE(eventually(milliseconds{5000},
                         [&] { return ask(*daemon_, {"status"})["policy"]["name"] == "reread"; }));
}

// SSH_CONNECTION of what a test runs, as sshd sets it.
class SshSession {
 public:
  explicit SshSession(const char* connection) { setenv("SSH_CONNECTION", connection, 1); }
  ~SshSession() { unsetenv("SSH_CONNECTION"); }
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;
};

TEST_F(Robustness, ApplyDoesNotCutTheSessionThatItRunsIn) {
  constexpr const char* kOther =
      "version: 1\nhost: {uplinks: [eth0]}\nallow: [internet -> host:8]\n";
  FW_ASSERT_OK(start(kSmall));
  {
    const SshSession session{"10.9.0.2 40000 10.9.0.1 7"};
    const auto refused = daemon_->apply(kOther);
    EXPECT_EQ(refused.status, 2) << refused.describe();
    EXPECT_THAT(refused.err, HasSubstr("your own SSH session, 10.9.0.2 -> 10.9.0.1:7, would be "
                                       "cut: NOT_PUBLISHED"));
    EXPECT_THAT(refused.err, HasSubstr("admin: [\"10.9.0.2 -> host:7\"]"));
    expect_enforcing();
    const auto admitted =
        daemon_->apply("version: 1\nhost:\n  uplinks: [eth0]\n  admin: [\"10.9.0.2 -> host:7\"]\n");
    EXPECT_EQ(admitted.status, 0) << admitted.describe();
    expect_enforcing();
    FW_ASSERT_OK(daemon_->write_policy(kOther));
    const auto forced = daemon_->ctl({"apply", "--force", "-f", daemon_->policy_file()});
    EXPECT_EQ(forced.status, 0) << forced.describe();
  }
  // A session that ends on another machine is none of this one's.
  const SshSession elsewhere{"10.9.0.2 40000 10.9.0.77 22"};
  EXPECT_EQ(daemon_->apply(kSmall).status, 0);
  expect_enforcing();
}

TEST_F(Robustness, WarningsAreToldAndLogged) {
  const std::string twice =
      std::string{kSmall} + "block: [10.8.0.0/16 -> host, 10.8.0.1 -> host]\n";
  FW_ASSERT_OK(start(twice));
  const auto warning = HasSubstr("warning: '10.8.0.1 -> host' changes nothing");
  EXPECT_TRUE(eventually(milliseconds{5000}, [&] {
    return daemon_->log().find("'10.8.0.1 -> host' changes nothing") != std::string::npos;
  })) << daemon_->log();
  const auto applied = daemon_->apply(twice + "# once more\n");
  EXPECT_EQ(applied.status, 0) << applied.describe();
  EXPECT_THAT(applied.err, warning);
}

TEST_F(Robustness, ASecondFwdOnTheSameFolderIsRefused) {
  FW_ASSERT_OK(start(kSmall));
  FW_ASSIGN(const auto files, Scratch::create("second"));
  const auto second = host_->run({program_path("fwd"), "--config", daemon_->policy_file(),
                                  "--socket", files / "fwd.sock", "--bpffs", daemon_->bpffs(),
                                  "--state", files / "state", "--metrics", "off"});
  EXPECT_EQ(second.status, 1) << second.describe();
  EXPECT_THAT(second.err, AllOf(HasSubstr("another fwd"), HasSubstr("--bpffs")));
  expect_enforcing();
  EXPECT_TRUE(daemon_->running());
}

TEST_F(Robustness, WithoutACapabilityItSaysWhich) {
  FW_ASSIGN(daemon_, Daemon::create(*host_, kSmall));
  FW_ASSIGN(const auto files, Scratch::create("nocap"));
  for (const auto* drop : {"net_admin", "sys_admin"}) {
    const auto run = host_->run({"setpriv", "--bounding-set", std::string{"-"} + drop, "--inh-caps",
                                 std::string{"-"} + drop, program_path("fwd"), "--config",
                                 daemon_->policy_file(), "--socket", files / "fwd.sock", "--bpffs",
                                 daemon_->bpffs(), "--state", files / "state", "--metrics", "off"});
    EXPECT_EQ(run.status, 4) << run.describe();
    EXPECT_THAT(run.err, ContainsRegex("fwd needs CAP_[A-Z_]+ to .*; run it as root"));
    expect_untouched();
  }
}

TEST(KernelRelease, AnOldOneIsRefusedInASentence) {
  for (const auto* release : {"5.15.0-91-generic", "6.0.19", "4.19", "3", "", "weird"}) {
    const auto checked = bpf::check_kernel_release(release);
    ASSERT_FALSE(checked) << release;
    EXPECT_THAT(checked.error().message, HasSubstr("too old: fwd needs 6.1 or later"));
  }
  for (const auto* release : {"6.1.0-18-cloud-amd64", "6.1", "6.12.6", "7.0-rc1", "10.0.0"})
    EXPECT_TRUE(bpf::check_kernel_release(release)) << release;
}

TEST_F(Robustness, ASocketPathThatIsTooLongIsSaidBeforeAnythingIsEnforced) {
  FW_ASSIGN(daemon_, Daemon::create(*host_, kSmall));
  FW_ASSIGN(const auto files, Scratch::create("long"));
  const auto run = host_->run({program_path("fwd"), "--config", daemon_->policy_file(), "--socket",
                               files / std::string(120, 's'), "--bpffs", daemon_->bpffs(),
                               "--state", files / "state", "--metrics", "off"});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, AllOf(HasSubstr("socket"), HasSubstr("--socket")));
  expect_untouched();
}

// A file system of 128 KB, for a state folder.
class TinyDisk {
 public:
  explicit TinyDisk(std::string at) : at_(std::move(at)) {
    std::filesystem::create_directory(at_);
    good_ = mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=128k") == 0;
  }
  ~TinyDisk() { umount2(at_.c_str(), MNT_DETACH); }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;
  [[nodiscard]] bool good() const { return good_; }
  void fill() const {
    std::ofstream file{at_ + "/filler", std::ios::binary};
    for (int page = 0; page < 64 && file; ++page) file << std::string(4096, 'x') << std::flush;
  }

 private:
  std::string at_;
  bool good_ = false;
};

TEST_F(Robustness, AFullDiskKeepsTheOldPolicy) {
  FW_ASSIGN(daemon_, Daemon::create(*host_, kSmall));
  const TinyDisk disk{std::filesystem::path{daemon_->policy_file()}.parent_path() / "state"};
  ASSERT_TRUE(disk.good());
  FW_ASSERT_OK(daemon_->start());
  disk.fill();
  const auto applied = daemon_->apply(
      "version: 1\nhost: {uplinks: [eth0]}\n"
      "allow: [internet -> host:8]\n");
  EXPECT_EQ(applied.status, 5) << applied.describe();
  EXPECT_THAT(applied.err, AllOf(HasSubstr("No space left"), HasSubstr("old policy")));
  expect_enforcing();
  EXPECT_EQ(ask(*daemon_, {"status"})["policy"]["generation"], 1);
  EXPECT_EQ(daemon_->stop().status, 0);
}

TEST_F(Robustness, AFullDiskAtTheFirstStartLeavesNothing) {
  FW_ASSIGN(daemon_, Daemon::create(*host_, kSmall));
  {
    const TinyDisk disk{std::filesystem::path{daemon_->policy_file()}.parent_path() / "state"};
    ASSERT_TRUE(disk.good());
    disk.fill();
    const auto started = daemon_->start();
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message,
                AllOf(HasSubstr("exit status 1"), HasSubstr("No space left")));
    expect_untouched();
  }
  FW_ASSERT_OK(daemon_->start());
  expect_enforcing();
}

TEST_F(Robustness, AnUplinkIsProtectedWheneverItIsThere) {
  FW_ASSERT_OK(host_->ip("link del eth0"));
  FW_ASSERT_OK(start(kSmall));
  EXPECT_THAT(ask(*daemon_, {"status"}).dump(), HasSubstr("eth0 (host.uplinks) does not exist"));
  const auto is_served = [&] { return mode_of(*daemon_, "eth0") == "tc"; };
  for (int again = 0; again < 2; ++again) {
    FW_ASSERT_OK(plug("eth0"));
    EXPECT_TRUE(eventually(milliseconds{5000}, is_served));
    expect_enforcing();
    FW_ASSERT_OK(host_->ip("link del eth0"));
    EXPECT_TRUE(eventually(milliseconds{5000}, [&] { return !is_served(); }));
  }
  EXPECT_TRUE(daemon_->running());
}

TEST_F(Robustness, ARenamedUplinkStaysProtected) {
  FW_ASSERT_OK(start(kSmall));
  expect_enforcing();
  FW_ASSERT_OK(host_->ip("link set eth0 down\nlink set eth0 name wan9\nlink set wan9 up"));
  // The daemon has seen it once it says so.
  EXPECT_TRUE(eventually(milliseconds{5000}, [&] {
    return ask(*daemon_, {"status"}).dump().find("wan9") != std::string::npos;
  }));
  expect_enforcing();
  FW_ASSERT_OK(host_->ip("link set wan9 down\nlink set wan9 name eth0\nlink set eth0 up"));
  EXPECT_TRUE(eventually(milliseconds{5000}, [&] { return mode_of(*daemon_, "eth0") == "tc"; }));
  expect_enforcing();
}

}  // namespace
}  // namespace fw::test
