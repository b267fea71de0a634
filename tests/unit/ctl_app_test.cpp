// SPDX-License-Identifier: GPL-2.0-only
// fwctl as a person runs it: words in; exit code, stdout and stderr out. No daemon answers here.
#include "ctl/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fw::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

// `ssh`: SSH_CONNECTION; empty: no session, whoever runs the test.
Outcome fwctl(std::vector<std::string> words, const char* ssh = "") {
  setenv("SSH_CONNECTION", ssh, 1);
  std::ostringstream out;
  std::ostringstream err;
  words.insert(words.end(), {"--socket", "/nonexistent/fwd.sock"});
  const int code = run(std::move(words), out, err, false);
  return {code, out.str(), err.str()};
}

class PolicyFile : public testing::Test {
 protected:
  ~PolicyFile() override { std::remove(path_.c_str()); }
  std::string write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  std::string path_ = testing::TempDir() + "fwctl-" + std::to_string(::getpid()) + ".yaml";
};

TEST(Fwctl, NoDaemonIsThree) {
  for (const char* verb : {"status", "counters", "flows", "teardown"}) {
    const auto got = fwctl({verb});
    EXPECT_EQ(got.code, 3) << verb;
    EXPECT_THAT(got.err, StartsWith("fwctl: no fwd answers on /nonexistent/fwd.sock; ")) << verb;
    EXPECT_THAT(got.out, IsEmpty()) << verb;
  }
  EXPECT_THAT(fwctl({"teardown"}).err, HasSubstr("still enforces; start fwd"));
}

TEST(Fwctl, JsonIsOneObjectAlsoOnFailure) {
  const auto got = fwctl({"status", "--json"});
  EXPECT_EQ(got.code, 3);
  EXPECT_THAT(got.out, StartsWith("{\n  \"schema\": 1,\n  \"ok\": false,\n  \"code\": 3,"));
}

TEST(Fwctl, SchemaIsOneJsonObject) {
  const auto got = fwctl({"schema"});
  EXPECT_EQ(got.code, 0);
  EXPECT_THAT(got.out, testing::StartsWith("{\n  \"$schema\": \"https://json-schema.org/"));
}

TEST(Fwctl, VersionNeedsNoDaemon) {
  const auto got = fwctl({"version"});
  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(got.out, "fwctl " FWD_VERSION "\nfwd   does not answer on /nonexistent/fwd.sock\n");
  EXPECT_THAT(fwctl({"--json", "version"}).out, HasSubstr("\"daemon\": null"));
}

TEST(Fwctl, UsageErrorsAreOneSentenceAndTwo) {
  struct Case {
    std::vector<std::string> words;
    const char* sentence;
  };
  const Case cases[] = {
      {{"statsu"}, "'statsu' is not a verb of fwctl; did you mean 'status'?"},
      {{"xyzzyplugh"}, "'xyzzyplugh' is not a verb of fwctl; 'fwctl --help' lists them"},
      {{}, "what shall be done? 'fwctl --help' lists the verbs"},
      {{"status", "now"}, "'fwctl status' does not take 'now'; see 'fwctl status --help'"},
      {{"status", "--fast"}, "'--fast' is not an option of 'fwctl status'; see "},
      {{"flows", "--limit", "many"}, "--limit"},
      {{"apply", "--confirm", "60s"}, "commit-confirm is not supported by this version"},
      {{"apply", "--confirm"}, "commit-confirm is not supported by this version"},
      {{"check", "-f", "/nonexistent"}, "reading the policy /nonexistent: No such file"},
      {{"check", "-f", "/"}, "reading the policy /: it is not a file"},
      {{"check", "-f", "/dev/zero"}, "reading the policy /dev/zero: it is not a file"},
  };
  for (const auto& [words, sentence] : cases) {
    const auto got = fwctl(words);
    EXPECT_EQ(got.code, 2) << sentence;
    EXPECT_THAT(got.err, StartsWith("fwctl: "));
    EXPECT_THAT(got.err, HasSubstr(sentence));
    EXPECT_EQ(std::ranges::count(got.err, '\n'), 1) << got.err;
  }
}

TEST(Fwctl, HelpIsOnStdoutAndZero) {
  const auto got = fwctl({"--help"});
  EXPECT_EQ(got.code, 0);
  EXPECT_THAT(got.out, HasSubstr("teardown"));
  EXPECT_THAT(fwctl({"apply", "--help"}).out, HasSubstr("--comment"));
}

TEST_F(PolicyFile, CheckAcceptsAPolicy) {
  const auto got = fwctl({"check", "-f", write("version: 1\nname: shop\n")});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, StartsWith("ok: policy shop: 0 zones, 0 services, 0 published doors, "));
  const auto json = fwctl({"check", "--json", "-f", path_});
  EXPECT_THAT(json.out, StartsWith("{\n  \"schema\": 1,\n  \"ok\": true,\n  \"name\": \"shop\""));
}

TEST_F(PolicyFile, CheckWarnsAndIsStrictOnlyWhenAsked) {
  write(
      "version: 1\nzones: {lan: {subnets: [192.168.1.0/24]}}\nallow:\n"
      "  - lan -> host:22\n  - lan -> host\n");
  const auto warned = fwctl({"check", "-f", path_});
  EXPECT_EQ(warned.code, 0);
  EXPECT_EQ(warned.err, path_ +
                            ":4:5: warning: 'lan -> host:22/tcp' changes nothing, for all of it "
                            "is decided by 'lan -> host' (line 5)\n    - lan -> host:22\n      ^\n"
                            "  hint: remove it; or narrow the wider line, if that says too much\n");
  EXPECT_THAT(warned.out, testing::EndsWith(" 2 rules, 0 tests, 1 warning\n"));
  const auto strict = fwctl({"check", "--strict", "-f", path_});
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.out, IsEmpty());
  EXPECT_THAT(strict.err, HasSubstr("fwctl: 1 warning in " + path_ + ", and --strict was given"));
  const auto json = fwctl({"check", "--json", "-f", path_});
  EXPECT_EQ(json.code, 0);
  EXPECT_THAT(json.out, HasSubstr("\"severity\": \"warning\""));
  EXPECT_THAT(json.out, HasSubstr("\"line\": 4"));
  const auto both = fwctl({"check", "--json", "--strict", "-f", path_});
  EXPECT_EQ(both.code, 1);
  EXPECT_THAT(both.out, HasSubstr("\"ok\": false"));
  EXPECT_EQ(fwctl({"check", "--strict", "-f", write("version: 1\n")}).code, 0);
}

TEST_F(PolicyFile, CheckWarnsOfALockoutOnTheMachineThatThePolicyIsFor) {
  constexpr const char* kSsh = "198.51.100.7 50022 192.0.2.1 22";
  const auto of = [&](const std::string& uplink) {
    write("version: 1\nhost:\n  uplinks: [" + uplink + "]\n  admin: [192.0.2.9 -> host:22]\n");
  };
  of("lo");
  const auto warned = fwctl({"check", "-f", path_}, kSsh);
  EXPECT_EQ(warned.code, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("warning: your own SSH session, 198.51.100.7 -> 192.0.2.1:22"));
  EXPECT_THAT(warned.err, HasSubstr("admin: [\"198.51.100.7 -> host:22\"]"));
  EXPECT_EQ(fwctl({"check", "--strict", "-f", path_}, kSsh).code, 1);
  EXPECT_THAT(fwctl({"check", "-f", path_}, "192.0.2.9 50022 192.0.2.1 22").err, IsEmpty());
  of("fwt-elsewhere");
  EXPECT_THAT(fwctl({"check", "-f", path_}, kSsh).err, IsEmpty());
}

TEST_F(PolicyFile, CheckTakesNoWayInForOneThatHasEnded) {
  constexpr const char* kSsh = "198.51.100.7 50022 192.0.2.1 22";
  const auto until = [&](const std::string& year) {
    write("version: 1\nhost: {uplinks: [lo]}\nallow:\n  - {from: internet, to: host:22, until: " +
          year + "-01-01T00:00:00Z}\n");
    return fwctl({"check", "-f", path_}, kSsh).err;
  };
  EXPECT_THAT(until("2020"), HasSubstr("your own SSH session"));
  EXPECT_THAT(until("9999"), IsEmpty());
}

TEST_F(PolicyFile, CheckRefusesAnAdminFlowThatLetsNobodyIn) {
  for (const char* flow : {"\"fd00::1 -> 192.0.2.1:22\"", "host -> host:22", "empty -> host:22"}) {
    write(std::string{"version: 1\nzones: {empty: {}}\nhost:\n  uplinks: [eth0]\n  admin: ["} +
          flow + "]\n");
    const auto got = fwctl({"check", "-f", path_});
    EXPECT_EQ(got.code, 2) << flow;
    EXPECT_THAT(got.err, HasSubstr("can let nobody in")) << flow;
  }
}

TEST_F(PolicyFile, CheckShowsHowLargeThePolicyIs) {
  const auto got =
      fwctl({"check", "-v", "-f", write("version: 1\nallow: [10.0.0.1 -> host:22]\n")});
  EXPECT_EQ(got.code, 0);
  EXPECT_THAT(got.out, HasSubstr("fw_policy         1             24 B\n"));
  EXPECT_THAT(got.out, HasSubstr(", 1 port class, "));
  const auto json = fwctl({"check", "-v", "--json", "-f", path_});
  EXPECT_THAT(json.out, HasSubstr("\"map\": \"fw_policy\",\n        \"entries\": 1,"));
}

TEST_F(PolicyFile, ExplainNamesTheTestThatTheLineWouldBreak) {
  write(
      "version: 1\nhost: {uplinks: [eth0]}\ntests:\n"
      "  - {name: closed, from: internet, deny: [host:22]}\n");
  const auto got = fwctl({"explain", "internet", "host:22", "-f", path_});
  EXPECT_THAT(got.out, HasSubstr("breaks    test 'closed' (" + path_ + ":4)"));
  EXPECT_THAT(fwctl({"explain", "internet", "host:22", "-f", path_, "--json"}).out,
              HasSubstr("\"breaks\": [\n    {\n      \"name\": \"closed\","));
}

TEST_F(PolicyFile, CheckAndApplyRefuseAWrongPolicyBeforeAnyDaemonIsAsked) {
  write("version: 1\nservice: {}\n");
  for (const char* verb : {"check", "apply"}) {
    const auto got = fwctl({verb, "-f", path_});
    EXPECT_EQ(got.code, 2) << verb;
    EXPECT_THAT(got.err, StartsWith(path_ + ":2:1: error: ")) << verb;
    EXPECT_THAT(got.err, HasSubstr("fwctl: 1 error in " + path_)) << verb;
    EXPECT_THAT(got.out, IsEmpty()) << verb;
  }
  EXPECT_THAT(fwctl({"check", "--json", "-f", path_}).out, HasSubstr("\"line\": 2"));
}

constexpr const char* kTested = R"(version: 1
name: shop
host: {uplinks: [eth0]}
services: {web: {addresses: [172.20.1.10], ports: {http: 80}}}
publish: {http: {host: 8080, to: web:http, from: internet}}
tests:
  - {name: the door, from: internet, allow: [host:8080], deny: [host:22]}
)";

TEST_F(PolicyFile, TestShowsEachTest) {
  auto got = fwctl({"test", "-f", write(kTested)});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "ok   the door (2 expectations)\n1 passed, 0 failed\n");

  write(kTested + std::string{"  - {name: closed, from: internet, deny: [web]}\n"});
  got = fwctl({"test", "-f", path_});
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "ok   the door (2 expectations)\nFAIL closed (1 expectation)\n     " + path_ +
                         ":8: internet may reach web:80/tcp, allowed by " + path_ +
                         ":5 publish 'http'\n1 passed, 1 failed\n");
  EXPECT_THAT(got.err, IsEmpty());
  const auto json = fwctl({"test", "--json", "-f", path_});
  EXPECT_EQ(json.code, 1);
  EXPECT_THAT(json.out, StartsWith("{\n  \"schema\": 1,\n  \"name\": \"shop\",\n  \"passed\": 1,"));

  EXPECT_EQ(fwctl({"test", "-f", write("version: 2\n")}).code, 2);
  EXPECT_EQ(fwctl({"test", "-f", write("version: 1\n")}).out,
            "policy fwd has no tests; write some under 'tests:'\n");
}

TEST_F(PolicyFile, CheckAndApplyRefuseAFailingTestWithOne) {
  write(kTested + std::string{"  - {name: closed, from: internet, deny: [web]}\n"});
  for (const char* verb : {"check", "apply"}) {
    const auto got = fwctl({verb, "-f", path_});
    EXPECT_EQ(got.code, 1) << verb;
    EXPECT_THAT(got.err, HasSubstr(path_ + ":8:43: error: test 'closed' failed: internet may"));
    EXPECT_THAT(got.err, HasSubstr("fwctl: 1 failed test in " + path_)) << verb;
  }
}

TEST_F(PolicyFile, ExplainSaysYesByZeroAndNoByOne) {
  write(
      "version: 1\nhost: {uplinks: [eth0]}\nservices: {web: {addresses: [172.20.1.10]}}\n"
      "publish:\n  http: {host: 8080, to: web:80, from: internet}\n");
  const auto yes = fwctl({"explain", "internet", "host:8080", "-f", path_});
  EXPECT_EQ(yes.code, 0) << yes.err;
  EXPECT_THAT(yes.out, StartsWith("ALLOW  internet -> host:8080/tcp\n"));
  EXPECT_THAT(yes.out, HasSubstr("host:8080 becomes 172.20.1.10:80"));
  EXPECT_THAT(yes.out, HasSubstr("172.20.1.10:80 becomes host:8080"));
  const auto no = fwctl({"explain", "internet", "host:22", "-f", path_});
  EXPECT_EQ(no.code, 1);
  EXPECT_THAT(no.out, StartsWith("DENY  internet -> host:22/tcp  NOT_PUBLISHED: no door "));
  EXPECT_THAT(no.out, HasSubstr("      allow:\n        - internet -> host:22/tcp\n"));
  const auto json = fwctl({"explain", "internet", "host:22", "-f", path_, "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_THAT(json.out, StartsWith("{\n  \"schema\": 1,\n  \"verdict\": \"deny\","));
  EXPECT_THAT(json.out, HasSubstr("\"asked\": \"image\""));
  const auto wrong = fwctl({"explain", "intrenet", "host:22", "-f", path_});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'internet'?"));
}

TEST_F(PolicyFile, ExplainWithoutAFileAsksTheDaemon) {
  EXPECT_EQ(fwctl({"explain", "internet", "host:22"}).code, 3);
  EXPECT_EQ(fwctl({"explain", "internet"}).code, 2);
}

TEST_F(PolicyFile, DiffOfTwoFilesNeedsNoDaemon) {
  const std::string before = path_ + ".old";
  std::ofstream(before) << "version: 1\nzones: {lan: {subnets: [192.168.1.0/24]}}\n";
  write(
      "version: 1\nzones: {lan: {subnets: [192.168.1.0/24]}}\n"
      "allow:\n  - lan -> host:22\n");
  const auto differs = fwctl({"diff", "--from", before, "-f", path_});
  EXPECT_EQ(differs.code, 1) << differs.err;
  EXPECT_EQ(differs.out, "+ lan may reach host:22/tcp\n");
  const auto same = fwctl({"diff", "--from", path_, "-f", path_});
  EXPECT_EQ(same.code, 0);
  EXPECT_EQ(same.out, "no difference: the same flows are let through\n");
  const auto json = fwctl({"diff", "--from", before, "-f", path_, "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_THAT(json.out, StartsWith("{\n  \"schema\": 1,\n  \"differs\": true,"));
  std::remove(before.c_str());
  EXPECT_EQ(fwctl({"diff", "-f", path_}).code, 3);
  EXPECT_EQ(fwctl({"diff", "--from", "/nonexistent", "-f", path_}).code, 2);
}

TEST_F(PolicyFile, OverlaysAndListsAreReadAndPrinted) {
  const std::string overlay = path_ + ".prod";
  const std::string list = path_ + ".list";
  write("version: 1\nname: base\nhost: {uplinks: [eth0]}\n");
  std::ofstream(overlay) << "name: prod\nblock: [{from: internet, list: drop, file: "
                         << std::filesystem::path{list}.filename() << "}]\n";
  std::ofstream(list) << "203.0.113.0/24\n";
  const auto checked = fwctl({"check", "-f", path_, "-f", overlay});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, StartsWith("ok: policy prod: "));
  const auto printed = fwctl({"check", "--print", "-f", path_, "-f", overlay});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr(list));

  write(printed.out);
  EXPECT_EQ(fwctl({"check", "--print", "-f", path_}).out, printed.out);
  std::ofstream(list) << "nonsense\n";
  const auto wrong = fwctl({"check", "-f", path_});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr(list + ":1:1: error: 'nonsense' is not an IPv4"));
  std::remove(list.c_str());
  EXPECT_THAT(fwctl({"check", "-f", path_}).err,
              HasSubstr("error: reading " + list + ": No such file or directory"));
  std::remove(overlay.c_str());
}

TEST_F(PolicyFile, ApplyWithoutADaemonIsThree) {
  EXPECT_EQ(fwctl({"apply", "--no-confirm", "-f", write("version: 1\n")}).code, 3);
}

}  // namespace
}  // namespace fw::ctl
