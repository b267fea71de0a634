// SPDX-License-Identifier: GPL-2.0-only
// The control channel's language: what goes out comes back the same, and nothing hostile gets in.
#include "loader/control/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace fw::control {
namespace {

using testing::HasSubstr;

StatusReport some_status() {
  StatusReport status;
  status.enforcing = true;
  status.version = "0.1.0";
  status.policy = PolicyStatus{.name = "shop",
                               .generation = 7,
                               .applied_at = "2026-11-20T12:00:00Z",
                               .comment = "a \"quoted\" word\n"};
  status.interfaces = {{.name = "eth0", .role = "uplink", .mode = "tc", .why = "veth"}};
  status.local_doors = {.open = false, .why = "cgroups of version 2 are not mounted"};
  status.flows = {.in_use = 12, .capacity = 1U << 20U};
  status.engines = {{"unix:///run/docker.sock", "docker 20.10.24", ""},
                    {"unix:///run/podman/podman.sock", "", "it has not answered yet"}};
  status.containers = {{"shop-proxy", "proxy", "dmz", "172.20.1.10", "veth1", true, ""},
                       {"", "api", "none", "fd00::1", "", false, "no interface has it"}};
  status.next = {"do this", "then that"};
  return status;
}

template <class Report>
void expect_round_trip(const Report& report) {
  const auto text = to_json(report);
  EXPECT_TRUE(text.starts_with(R"({"schema":1)")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << "one line";
  const auto back = from_json<Report>(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == report) << text;
}

TEST(Report, StatusComesBack) {
  expect_round_trip(some_status());
  expect_round_trip(StatusReport{});
}

TEST(Report, CountersComeBack) {
  CountersReport counters;
  counters.rules = {{"proxy -> api:8000/tcp", "fwd.yaml", 12, {~0ULL, 2}, 3}};
  counters.publish = {{"http", {1, 2}, 4}};
  counters.drops = {{"NO_RULE", {3, 4}}};
  counters.zones = {{"internet", "dmz", {5, 6}}};
  expect_round_trip(counters);
}

TEST(Report, CountersHaveTheShapeOfTheContract) {
  CountersReport counters;
  counters.rules = {{"a -> b", "f.yaml", 3, {1, 2}, 9}};
  counters.publish = {{"http", {1, 2}, 0}};
  counters.drops = {{"NO_RULE", {3, 4}}};
  counters.zones = {{"internet", "dmz", {5, 6}}};
  EXPECT_EQ(
      to_json(counters),
      R"({"schema":1,"rules":[{"text":"a -> b","file":"f.yaml","line":3,"packets":1,"bytes":2,)"
      R"("limited":9}],)"
      R"("publish":[{"name":"http","packets":1,"bytes":2,"limited":0}],)"
      R"("drops":[{"reason":"NO_RULE","packets":3,"bytes":4}],)"
      R"("zones":[{"from":"internet","to":"dmz","packets":5,"bytes":6}]})");
}

TEST(Report, FlowsComeBack) {
  FlowsReport flows{.total = 2, .flows = {{}}};
  flows.flows[0] = {.proto = "tcp",
                    .original = {"198.51.100.7", "192.0.2.1", 51324, 80},
                    .translated = {"198.51.100.7", "172.20.1.10", 51324, 65535},
                    .state = "established",
                    .sent = {1, 2},
                    .replies = {3, 4},
                    .generation = 7,
                    .expires_s = 7199,
                    .rule = "http",
                    .from_zone = "internet",
                    .to_zone = "dmz"};
  expect_round_trip(flows);
}

ExplainReport some_explanation() {
  ExplainReport report;
  report.verdict = "allow";
  report.rule = RuleRef{"http: host:8080/tcp -> web:80", "fwd.yaml", 17};
  report.from = {"internet", std::nullopt};
  report.to = {"dmz", "web"};
  report.nat = {{"198.51.100.1:8080", "172.20.1.10:80"}};
  report.generation = 3;
  report.asked = "kernel";
  report.flow = "internet -> host:8080/tcp";
  return report;
}

TEST(Report, ExplainComesBack) {
  expect_round_trip(ExplainReport{});
  auto report = some_explanation();
  report.replies = {{"172.20.1.10:80", "198.51.100.1:8080"}};
  report.nearest = {{{"a -> b", "f", 1}, "another port"}};
  report.cases = {{"a", "b", "80/tcp", "deny", "NO_RULE", std::nullopt}};
  report.allow = {"allow:", "  - a -> b"};
  report.breaks = {{"only the door", "fwd.yaml", 30}};
  report.advice = report.notes = {"x"};
  report.router = "router:80";
  expect_round_trip(report);
}

TEST(Report, ExplainHasTheShapeOfTheContract) {
  EXPECT_THAT(
      to_json(some_explanation()),
      testing::StartsWith(
          R"({"schema":1,"verdict":"allow","reason":"","rule":{"text":"http: host:8080/tcp -> web:80",)"
          R"("file":"fwd.yaml","line":17},"from":{"zone":"internet","service":null},)"
          R"("to":{"zone":"dmz","service":"web"},)"
          R"("nat":[{"from":"198.51.100.1:8080","to":"172.20.1.10:80"}],"generation":3,"asked":"kernel",)"));
  EXPECT_THAT(to_json(ExplainReport{}), HasSubstr(R"("rule":null)"));
}

TEST(Report, DiffComesBack) {
  expect_round_trip(DiffReport{});
  expect_round_trip(DiffReport{true, {{true, "internet", "proxy", "443/tcp", "host:8443", 2}}});
}

TEST(Report, PolicyComesBack) {
  PolicyReport report{
      .generation = 7, .sources = {}, .attachments = {{"drop.txt", "192.0.2.1\n", ""}}};
  report.sources.push_back({"fwd.yaml", "version: 1\n"});
  const auto back = from_json<PolicyReport>(to_json(report));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->generation, 7U);
  ASSERT_EQ(back->sources.size(), 1U);
  EXPECT_EQ(back->sources[0].text, "version: 1\n");
  ASSERT_EQ(back->attachments.size(), 1U);
  EXPECT_EQ(back->attachments[0].text, "192.0.2.1\n");
}

TEST(Request, ExplainNeedsBothEnds) {
  const auto asked = encode(Request{.verb = Verb::kExplain, .explain = {"lan", "host:22"}});
  ASSERT_TRUE(asked);
  const auto back = decode_request(*asked);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->explain, (ExplainRequest{"lan", "host:22"}));
  EXPECT_FALSE(decode_request(R"({"schema":1,"verb":"explain","args":{"from":"lan"}})"));
}

TEST(Report, TeardownAndVersionComeBack) {
  expect_round_trip(TeardownReport{.was_enforcing = true});
  expect_round_trip(VersionReport{.version = "0.1.0", .abi = 1});
}

TEST(Report, ApplyComesBackWithItsWarnings) {
  ApplyReport report{"shop", 8, true, 123, {}};
  report.warnings = {{.severity = config::Severity::kWarning,
                      .where = {"fwd.yaml", 3, 4},
                      .message = "m",
                      .hint = "h",
                      .source_line = "\tx: y"}};
  const auto back = from_json<ApplyReport>(to_json(report));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->generation, 8U);
  EXPECT_TRUE(back->changed);
  ASSERT_EQ(back->warnings.size(), 1U);
  EXPECT_EQ(config::to_string(back->warnings[0]), config::to_string(report.warnings[0]));
}

TEST(Report, MembersOfALaterVersionAreIgnored) {
  const auto version = from_json<VersionReport>(R"({"schema":1,"version":"9","abi":1,"new":[{}]})");
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->version, "9");
}

TEST(Request, EveryVerbComesBack) {
  for (const auto verb :
       {Verb::kStatus, Verb::kCounters, Verb::kFlows, Verb::kExplain, Verb::kPolicy, Verb::kVersion,
        Verb::kApply, Verb::kReload, Verb::kTeardown}) {
    const auto line = encode(Request{.verb = verb});
    ASSERT_TRUE(line);
    const auto back = decode_request(*line);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->verb, verb);
  }
}

TEST(Request, CarriesAPolicyByteForByte) {
  Request request{.verb = Verb::kApply};
  request.apply = {
      {{"a.yaml", "x: \"1\"\n\ty: ü\r\n\\"}}, {}, "why", "198.51.100.7 1 192.0.2.1 22"};
  const auto line = encode(request);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->find('\n'), std::string::npos);
  const auto back = decode_request(*line);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->apply.sources.size(), 1U);
  EXPECT_EQ(back->apply.sources[0].name, "a.yaml");
  EXPECT_EQ(back->apply.sources[0].text, request.apply.sources[0].text);
  EXPECT_EQ(back->apply.comment, "why");
}

TEST(Request, BinaryPolicyIsAnError) {
  Request request{.verb = Verb::kApply};
  request.apply.sources = {{"a.yaml", "\xff\xfe"}};
  EXPECT_FALSE(encode(request));
}

TEST(Request, ALargePolicyFits) {
  Request request{.verb = Verb::kApply};
  std::string text;
  while (text.size() + 17 < config::kMaxPolicyBytes) text += "- \"10.0.0.0/8\"\n\n";
  request.apply.sources = {{"a.yaml", std::move(text)}};
  const auto line = encode(request);
  ASSERT_TRUE(line);
  EXPECT_LE(line->size(), kMaxRequestBytes);
}

struct HostileCase {
  const char* name;
  std::string text;
  const char* complaint;
};

class HostileRequest : public testing::TestWithParam<HostileCase> {};

TEST_P(HostileRequest, IsAnError) {
  const auto request = decode_request(GetParam().text);
  ASSERT_FALSE(request);
  EXPECT_THAT(request.error().message, HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    Protocol, HostileRequest,
    testing::Values(
        HostileCase{"Empty", "", "not JSON"}, HostileCase{"Binary", "\x01\xff\xfe", "not JSON"},
        HostileCase{"Deep", std::string(1U << 20U, '['), "nested too deeply"},
        HostileCase{"DeepClosed", std::string(5000, '[') + std::string(5000, ']'), "too deeply"},
        HostileCase{"NotAnObject", "[1]", "not a JSON object"},
        HostileCase{"Number", "1e999999", "not JSON"},
        HostileCase{"NoSchema", R"({"verb":"status"})", "no 'schema'"},
        HostileCase{"OtherSchema", R"({"schema":2,"verb":"status"})", "schema 2"},
        HostileCase{"SchemaOfAnotherType", R"({"schema":"1","verb":"status"})", "schema"},
        HostileCase{"NoVerb", R"({"schema":1})", "'verb'"},
        HostileCase{"VerbIsANumber", R"({"schema":1,"verb":7})", "'verb'"},
        HostileCase{"UnknownVerb", R"({"schema":1,"verb":"fly"})", "'fly'"},
        HostileCase{"UnknownMember", R"({"schema":1,"verb":"status","x":1})", "'x'"},
        HostileCase{"UnknownArgument", R"({"schema":1,"verb":"status","args":{"x":1}})", "args.x"},
        HostileCase{"LaterArgument",
                    R"({"schema":1,"verb":"apply","args":{"sources":[],"confirm_s":60}})",
                    "args.confirm_s"},
        HostileCase{"ArgsIsAList", R"({"schema":1,"verb":"status","args":[]})",
                    "must be an object"},
        HostileCase{"NegativeLimit", R"({"schema":1,"verb":"flows","args":{"limit":-1}})",
                    "args.limit"},
        HostileCase{"HugeLimit", R"({"schema":1,"verb":"flows","args":{"limit":1e300}})",
                    "args.limit"},
        HostileCase{"LimitBeyond64Bits",
                    R"({"schema":1,"verb":"flows","args":{"limit":18446744073709551616}})",
                    "args.limit"},
        HostileCase{"FractionalLimit", R"({"schema":1,"verb":"flows","args":{"limit":1.5}})",
                    "args.limit"},
        HostileCase{"NoSources", R"({"schema":1,"verb":"apply","args":{}})", "args.sources"},
        HostileCase{"SourcesIsAString", R"({"schema":1,"verb":"apply","args":{"sources":""}})",
                    "args.sources"},
        HostileCase{"SourceWithoutText",
                    R"({"schema":1,"verb":"apply","args":{"sources":[{"name":"a"}]}})",
                    "args.sources[0].text"},
        HostileCase{"TextIsNull",
                    R"({"schema":1,"verb":"apply","args":{"sources":[{"name":"a","text":null}]}})",
                    "args.sources[0].text"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Request, EveryTruncationIsAnError) {
  Request request{.verb = Verb::kApply};
  request.apply = {{{"a.yaml", "version: 1\n"}}, {}, "why", ""};
  const auto line = encode(request);
  ASSERT_TRUE(line);
  for (std::size_t length = 0; length < line->size(); ++length)
    EXPECT_FALSE(decode_request(line->substr(0, length))) << length;
}

// Each byte in turn replaced by each of a few: must end in a value or an Error, never in a crash.
TEST(Answer, NoChangedByteCrashesTheReader) {
  const auto line = encode(success(some_status()));
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const char c : {'\0', '"', '{', ']', '-', '9', '\xff'}) {
      auto changed = line;
      changed[i] = c;
      if (const auto answer = decode_answer(changed); answer)
        static_cast<void>(bool(from_json<StatusReport>(answer->result)));
    }
  }
}

TEST(Answer, SuccessCarriesTheReport) {
  const auto answer = decode_answer(encode(success(some_status())));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->code, Code::kOk);
  const auto status = from_json<StatusReport>(answer->result);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(*status, some_status());
}

TEST(Answer, FailureCarriesCodeSentenceAndDiagnostics) {
  const auto answer = decode_answer(encode(failure(
      Code::kApplyFailed, "no room", {{config::Severity::kError, {"f", 1, 2}, "bad", "", ""}})));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->code, Code::kApplyFailed);
  EXPECT_EQ(answer->error, "no room");
  ASSERT_EQ(answer->diagnostics.size(), 1U);
  EXPECT_EQ(answer->diagnostics[0].message, "bad");
}

TEST(Answer, TextThatIsNotUtf8IsReplacedNotFatal) {
  const auto answer = decode_answer(encode(failure(Code::kUsage, "bad \xff byte")));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->error, "bad \xEF\xBF\xBD byte");
}

TEST(Answer, CodeOutOfRangeIsAnError) {
  for (const char* code : {"0", "-1", "6", "99999999999", "\"4\"", "null"})
    EXPECT_FALSE(
        decode_answer(std::string{R"({"schema":1,"ok":false,"error":"e","code":)"} + code + "}"))
        << code;
}

TEST(Answer, ReportOfWrongTypesIsAnErrorThatNamesTheMember) {
  const auto flows = from_json<FlowsReport>(
      R"({"schema":1,"total":1,"flows":[{"proto":"tcp","original":{"src":"a","dst":"b","sport":65536,"dport":1}}]})");
  ASSERT_FALSE(flows);
  EXPECT_THAT(flows.error().message, HasSubstr("flows[0].original.sport"));
}

}  // namespace
}  // namespace fw::control
