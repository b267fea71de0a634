// SPDX-License-Identifier: GPL-2.0-only
// Programs on interfaces: attached, kept over a restart, moved, never in the place of somebody
// else's, and gone after teardown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "loader/datapath/datapath.h"
#include "loader/datapath/teardown.h"
#include "loader/netlink/topology.h"
#include "tests/support/netns.h"
#include "tests/support/privilege.h"
#include "tests/support/scratch.h"

namespace fw::test {
namespace {

using config::Datapath::kAuto;
using config::Datapath::kTc;
using config::Datapath::kXdp;
using datapath::Attachment;
using testing::HasSubstr;

namespace fs = std::filesystem;

compile::Image small_image() {
  fw_ident identity{};
  identity.id = 1;
  identity.zone = FW_ZONE_INTERNET;
  fw_policy_entry entry{};
  entry.account = 5000;
  entry.verdict = FW_ALLOW;
  compile::Image image;
  image.parameters.zones = 3;
  image.identities = {{*Prefix::parse("10.0.0.0/8"), identity},
                      {*Prefix::parse("fd00::/8"), identity}};
  image.policy = {{{.from = 1, .to = 1, .ports = 0}, entry}};
  return image;
}

fw_iface iface(fw_role role) {
  fw_iface iface{};
  iface.role = static_cast<__u8>(role);
  iface.zone = FW_ZONE_INTERNET;
  return iface;
}

// A host with an uplink and a container, both behind veths.
class Attach : public testing::Test {
 protected:
  void SetUp() override {
    FW_REQUIRE_ROOT();
    FW_ASSIGN(auto host, NetNs::create("host"));
    FW_ASSIGN(auto client, NetNs::create("client"));
    FW_ASSIGN(auto container, NetNs::create("ctr"));
    host_ = std::make_unique<NetNs>(std::move(host));
    client_ = std::make_unique<NetNs>(std::move(client));
    container_ = std::make_unique<NetNs>(std::move(container));
    FW_ASSERT_OK(connect(*host_, "up0", *client_, "eth0"));
    FW_ASSERT_OK(connect(*host_, "vctr", *container_, "eth0"));
    FW_ASSERT_OK(host_->ip("addr add 10.1.0.1/24 dev up0\naddr add 10.2.0.1/24 dev vctr"));
    FW_ASSIGN(auto scratch, Scratch::create("attach"));
    scratch_ = std::make_unique<Scratch>(std::move(scratch));
    options_.bpffs = *scratch_ / "pins";
    options_.sizes = {.flows = 1024, .half = 1024};
  }

  void TearDown() override {
    if (!scratch_) return;
    end();
    EXPECT_TRUE(host_->enter([this] { return datapath::teardown(options_.bpffs); }));
    EXPECT_FALSE(fs::exists(options_.bpffs)) << "teardown left something behind";
  }

  // As the daemon does: start, a policy if there is none, then the network.
  Result<void> run(config::Datapath mode, bool with_container = true) {
    return host_->enter([&]() -> Result<void> {
      if (!datapath_) {
        auto started = datapath::Datapath::start(options_);
        if (!started) return started.error();
        datapath_ = std::make_unique<datapath::Datapath>(std::move(*started));
      }
      if (datapath_->generation() == 0)
        if (auto applied = datapath_->apply(small_image(), 1); !applied) return applied;
      auto topology = netlink::read_topology();
      if (!topology) return topology.error();
      return datapath_->update(place(*topology, with_container), *topology, {{"up0", mode}});
    });
  }

  void end() { datapath_.reset(); }

  static compile::Placement place(const Topology& topology, bool with_container) {
    compile::Placement placement;
    if (const Interface* uplink = topology.by_name("up0"))
      placement.interfaces[uplink->index] = iface(FW_ROLE_UPLINK);
    const Interface* veth = topology.by_name("vctr");
    if (veth == nullptr || !with_container) return placement;
    placement.interfaces[veth->index] = iface(FW_ROLE_CONTAINER);
    placement.endpoints[*Address::parse("10.2.0.2")].ifindex = veth->index;
    return placement;
  }

  // `bpftool net`: links and filters of this namespace.
  [[nodiscard]] std::string net() const { return host_->run({"bpftool", "net"}).out; }

  // "link id 7" of every pin, by the pin's name.
  [[nodiscard]] std::map<std::string, std::uint64_t> link_ids() const {
    std::map<std::string, std::uint64_t> ids;
    const fs::path directory = options_.bpffs + "/v" + std::to_string(FW_ABI_VERSION) + "/links";
    for (const auto& entry : fs::directory_iterator{directory}) {
      const auto shown =
          host_->run({"bpftool", "--json", "link", "show", "pinned", entry.path().native()});
      const auto parsed = nlohmann::json::parse(shown.out, nullptr, false);
      ids[entry.path().filename()] = parsed.is_object() ? parsed.value("id", 0U) : 0U;
    }
    return ids;
  }

  [[nodiscard]] Attachment attachment(const std::string& interface) const {
    for (const Attachment& each : datapath_->attachments())
      if (each.interface == interface) return each;
    return {};
  }

  [[nodiscard]] std::string pin(const std::string& interface, const char* hook) const {
    return std::to_string(host_->ifindex(interface)) + "_" + hook;
  }

  std::unique_ptr<NetNs> host_, client_, container_;
  std::unique_ptr<Scratch> scratch_;
  datapath::Options options_;
  std::unique_ptr<datapath::Datapath> datapath_;
};

TEST_F(Attach, PutsVethsOnTcUnlessToldOtherwise) {
  FW_ASSERT_OK(run(kAuto));
  EXPECT_EQ(attachment("up0").mode, "tc");
  EXPECT_THAT(attachment("up0").why, HasSubstr("kind veth"));
  EXPECT_EQ(attachment("vctr").mode, "tc");
  EXPECT_EQ(link_ids().size(), 4U);
}

TEST_F(Attach, ForcedXdpIsNativeOnAVethAndTellsWhereItRedirects) {
  FW_ASSERT_OK(run(kXdp));
  EXPECT_EQ(attachment("up0").mode, "xdp-native");
  EXPECT_THAT(attachment("up0").why, HasSubstr("does not redirect into it: GRO is off"));
  EXPECT_THAT(attachment("vctr").why, HasSubstr("redirects into it: GRO turned on"));
  EXPECT_THAT(container_->run({"ethtool", "-k", "eth0"}).out,
              HasSubstr("generic-receive-offload: on"));
  FW_ASSERT_OK(run(kTc));
  EXPECT_EQ(attachment("up0").mode, "tc");
  EXPECT_EQ(link_ids().count(pin("up0", "xdp")), 0U);
}

TEST_F(Attach, LinksSurviveARestartAndTakeTheNewPrograms) {
  FW_ASSERT_OK(run(kXdp));
  const auto before = link_ids();
  EXPECT_EQ(before.size(), 5U);
  end();
  EXPECT_EQ(link_ids(), before) << "the programs stay on without a daemon";
  FW_ASSERT_OK(run(kXdp));
  EXPECT_EQ(datapath_->generation(), 1U) << "the policy stays in force";
  EXPECT_EQ(link_ids(), before);
  EXPECT_EQ(attachment("up0").mode, "xdp-native");
}

TEST_F(Attach, AVanishedInterfaceLeavesNoPins) {
  FW_ASSERT_OK(run(kAuto));
  FW_ASSERT_OK(host_->ip("link del vctr"));
  FW_ASSERT_OK(run(kAuto));
  EXPECT_EQ(link_ids().size(), 2U);
  FW_ASSERT_OK(connect(*host_, "vctr", *container_, "eth0"));
  FW_ASSERT_OK(run(kAuto));
  EXPECT_EQ(link_ids().count(pin("vctr", "ingress")), 1U);
}

TEST_F(Attach, AnInterfaceThatVanishedWhileTheDaemonWasDownLeavesNoPins) {
  FW_ASSERT_OK(run(kAuto));
  end();
  FW_ASSERT_OK(host_->ip("link del up0"));
  FW_ASSERT_OK(run(kAuto));
  EXPECT_EQ(link_ids().size(), 2U);
}

TEST_F(Attach, ARenamedInterfaceKeepsItsLinks) {
  FW_ASSERT_OK(run(kAuto));
  const auto before = link_ids();
  FW_ASSERT_OK(host_->ip("link set vctr down\nlink set vctr name other\nlink set other up"));
  EXPECT_EQ(link_ids(), before);
}

TEST_F(Attach, RespectsAnotherXdpProgram) {
  // The test's own object serves as somebody else's program.
  FW_ASSERT_OK(run(kXdp));
  const auto id = host_->run({"bpftool", "prog", "show", "name", "fw_xdp"}).out;
  end();
  const std::string other = options_.bpffs + "/other";
  const std::string id_number = id.substr(0, id.find(':'));
  ASSERT_TRUE(host_->run({"bpftool", "prog", "pin", "id", id_number, other}).ok());
  FW_ASSERT_OK(run(kTc));
  ASSERT_TRUE(host_->run({"ip", "link", "set", "up0", "xdpdrv", "pinned", other}).ok());
  FW_ASSERT_OK(run(kXdp));
  EXPECT_EQ(attachment("up0").mode, "tc");
  EXPECT_THAT(attachment("up0").why, HasSubstr("another XDP program, fw_xdp (id " + id_number));
  EXPECT_THAT(host_->run({"ip", "-d", "link", "show", "up0"}).out,
              HasSubstr("prog/xdp id " + id_number));
  ASSERT_TRUE(host_->run({"ip", "link", "set", "up0", "xdpdrv", "off"}).ok());
  fs::remove(other);
}

TEST_F(Attach, UsesClsactWhereThereIsNoTcxAndLeavesOtherFiltersAlone) {
  options_.allow_tcx = false;
  ASSERT_TRUE(host_->run({"tc", "qdisc", "add", "dev", "up0", "clsact"}).ok());
  // A filter of somebody else: classic BPF, "return 0".
  ASSERT_TRUE(host_
                  ->run({"tc", "filter", "add", "dev", "up0", "ingress", "prio", "7", "protocol",
                         "all", "bpf", "bytecode", "1,6 0 0 0,"})
                  .ok());
  for (int again = 0; again < 2; ++again) {
    FW_ASSERT_OK(run(kAuto));
    EXPECT_EQ(link_ids().size(), 0U);
    EXPECT_THAT(net(), HasSubstr("clsact/ingress"));
    end();
  }
  FW_ASSERT_OK(host_->enter([this] { return datapath::teardown(options_.bpffs); }));
  EXPECT_THAT(net(), Not(HasSubstr("fw_")));
  EXPECT_THAT(host_->run({"tc", "filter", "show", "dev", "up0", "ingress"}).out,
              HasSubstr("bytecode"));
  EXPECT_THAT(host_->run({"tc", "qdisc", "show", "dev", "up0"}).out, HasSubstr("clsact"));
  EXPECT_THAT(host_->run({"tc", "qdisc", "show", "dev", "vctr"}).out, Not(HasSubstr("clsact")));
}

TEST_F(Attach, GoesFromClsactToTcx) {
  options_.allow_tcx = false;
  FW_ASSERT_OK(run(kAuto));
  end();
  options_.allow_tcx = true;
  FW_ASSERT_OK(run(kAuto));
  EXPECT_EQ(link_ids().size(), 4U);
  EXPECT_THAT(net(), Not(HasSubstr("clsact/")));
}

TEST_F(Attach, ASecondFwdOnTheSameFolderIsRefused) {
  FW_ASSERT_OK(run(kAuto));
  auto second = host_->enter([this] { return datapath::Datapath::start(options_); });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another fwd (process "));
  EXPECT_THAT(second.error().message, HasSubstr("--bpffs"));
}

TEST_F(Attach, PolicySwapsTakeTheOtherSlotAndKeepCounters) {
  FW_ASSERT_OK(run(kAuto));
  FW_ASSIGN(const auto first, datapath_->accounts());
  EXPECT_EQ(first.size(), 2U * FW_ACCOUNTS_PER_CHUNK) << "account 5000 is in the second chunk";
  for (std::uint64_t generation = 2; generation < 6; ++generation) {
    FW_ASSERT_OK(datapath_->apply(small_image(), generation));
    EXPECT_EQ(datapath_->generation(), generation);
  }
  FW_ASSERT_OK(datapath_->sweep());
  FW_ASSIGN(const auto count, datapath_->flow_count());
  EXPECT_EQ(count.established + count.half, 0U);
  FW_ASSIGN(const auto sizes, datapath_->map_sizes());
  EXPECT_EQ(sizes.front().capacity, 1024U);
}

TEST_F(Attach, TeardownDetachesEverything) {
  FW_ASSERT_OK(run(kXdp));
  FW_ASSERT_OK(
      host_->enter([this] { return datapath::Datapath::teardown(std::move(*datapath_)); }));
  end();
  EXPECT_FALSE(fs::exists(options_.bpffs));
  EXPECT_THAT(net(), Not(HasSubstr("fw_")));
}

}  // namespace
}  // namespace fw::test
