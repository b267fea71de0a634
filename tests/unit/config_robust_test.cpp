// SPDX-License-Identifier: GPL-2.0-only
// Hostile policies: huge, deep, or damaged at random. Refused in good time, never a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "loader/config/names.h"
#include "loader/config/parse.h"

namespace fw::config {
namespace {

using testing::HasSubstr;

constexpr const char* kPolicy = R"(version: 1
name: shop
host:
  uplinks: [eth0]
  datapath: {eth0: auto}
  admin: [lan -> host:22]
  egress: allow
zones:
  lan:      {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  internal: {services: [api, db], intra: deny}
  office:   {interfaces: [eth1], masquerade: true}
services:
  api: {addresses: [172.20.2.11, "fd00::11"], ports: {http: 8000, metrics: 9100}}
  db:  {addresses: [172.20.2.12], ports: {postgres: 5432/tcp, rtp: 30000-30100/udp}}
  dns: {host: true, ports: {dns: 53/tcp+udp}}
publish:
  http: {router: 80, host: 8080, to: api:http, from: [internet, lan]}
  rtp:  {host: 30000-30100, to: db:rtp, from: "*"}
  v6:   {host: "[2001:db8::1]:443", to: api:8000, from: internet}
allow:
  - api -> db:postgres
  - lan -> *:metrics
  - lan -> [fd00::1]:80,443/tcp
  - {from: [lan, 10.0.0.0/8], to: host:ping, comment: "why"}
block:
  - 203.0.113.0/24 -> *
)";

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

// The first message about a text that must be refused.
std::string refusal(const std::string& text) {
  const Parsed parsed = parse({"f", text});
  EXPECT_FALSE(parsed.policy);
  return parsed.diagnostics.empty() ? "" : to_string(parsed.diagnostics.front());
}

TEST(Robust, ReadsThePolicyThatIsDamagedBelow) {
  EXPECT_TRUE(parse({"f", kPolicy}).policy);
}

TEST(Robust, RefusesWhatIsTooLarge) {
  EXPECT_EQ(refusal(repeated("# ten byte", 1024 * 1024)),
            "f: error: the policy has 10485760 bytes; the most that is read is 8388608\n");
}

TEST(Robust, RefusesDeepNesting) {
  const std::string deep = "nested too deeply to be read";
  for (const char* piece : {"[", "{", "[\n", "{a: ", "- ", "? ", "[[],", "a: [\"]\", "}) {
    EXPECT_THAT(refusal(repeated(piece, 100000)), HasSubstr("error: ")) << piece;
  }
  EXPECT_THAT(refusal(repeated("[", 100000)), HasSubstr(deep));
  EXPECT_THAT(refusal(repeated("{a: ", 100000)), HasSubstr(deep));
  EXPECT_THAT(refusal(repeated("- ", 100000)), HasSubstr(deep));
  EXPECT_THAT(refusal(repeated("[", 17) + repeated("]", 17)),
              HasSubstr("f:1:17: error: the policy is nested deeper than 16 levels"));
  std::string steps;
  for (std::size_t i = 0; i < 2000; ++i) steps += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(refusal(steps), HasSubstr("f:17:17: error: the policy is nested deeper"));
  EXPECT_THAT(refusal(repeated("[", 16) + repeated("]", 16)), HasSubstr("must be a map"));
}

TEST(Robust, RefusesBinary) {
  std::mt19937 random{1};
  for (int i = 0; i < 200; ++i) {
    std::string bytes(512, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_FALSE(parse({"f", bytes}).policy);
  }
  EXPECT_THAT(refusal(std::string{"\x7f"
                                  "ELF\x02\x01\x01\0\0",
                                  9}),
              HasSubstr("f:1:1: error: the policy holds the control character '\\x7f'"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THAT(refusal(std::string{"version: 1 # "} + bad), HasSubstr("f:1:14: error: the policy "
                                                                       "is not UTF-8 text"));
  }
}

TEST(Robust, ReadsALargePolicyInGoodTime) {
  std::string text = kPolicy;
  for (int i = 0; i < 20000; ++i) {
    text += "  - 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24 -> *\n";
  }
  const Parsed parsed = parse({"f", text});
  ASSERT_TRUE(parsed.policy);
  EXPECT_GT(parsed.policy->rules.size(), 20000U);
}

TEST(Robust, StopsCountingMistakes) {
  const Parsed parsed =
      parse({"f", "version: 1\nallow:\n" + repeated("  - lna -> bd:80\n", 50000)});
  EXPECT_EQ(parsed.diagnostics.size(), 101U);
  EXPECT_EQ(to_string(parsed.diagnostics.back()),
            "f: error: there are more mistakes than the 100 shown here\n");
}

TEST(Robust, SurvivesRandomDamage) {
  static constexpr std::string_view kPieces[] = {
      "[", "]",  "{",  "}",     ":",  ": ",    "- ", "\n",  "\n  ",    "\t",
      "'", "\"", "*",  "&a ",   "->", "/",     ",",  "#",   "!",       "|\n",
      ">", "%",  "? ", "---\n", "0",  "99999", "\\", "yes", "\xc3\xa9"};
  const std::string original = kPolicy;
  std::mt19937 random{20260101};
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (int round = 0; round < 20000; ++round) {
    std::string text = original;
    for (std::size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = below(text.size());
      switch (below(5)) {
        case 0:
          text.erase(at, 1 + below(8));
          break;
        case 1:
          text.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        case 2:
          text[at] = static_cast<char>(random());
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), below(40)));
          break;
        default:
          text.resize(at);
      }
    }
    const Parsed parsed = parse({"f", text});
    ASSERT_EQ(parsed.policy.has_value(), parsed.diagnostics.empty()) << text;
    for (const auto& diagnostic : parsed.diagnostics) ASSERT_FALSE(to_string(diagnostic).empty());
  }
}

TEST(Diagnostic, ShowsTheLineAndACaret) {
  EXPECT_EQ(refusal("version: 1\nallow:\n  - lna -> host\nzones: {lan: {}}\n"),
            "f:3:5: error: no zone or service is called 'lna'\n"
            "    - lna -> host\n"
            "      ^\n"
            "  hint: did you mean 'lan'?\n");
  EXPECT_EQ(refusal("version: 1\nzones: {\"\xc3\xa9\": {}}\n"),
            "f:2:9: error: '\xc3\xa9' is not a name; names are made of letters, digits, '_', '.' "
            "and '-'\n"
            "  zones: {\"\xc3\xa9\": {}}\n"
            "          ^\n");
  // The caret counts characters, the column bytes.
  EXPECT_EQ(refusal("version: 1\nallow: [\"lan\xc3\xa9 -> bd\"]\nzones: {lan\xc3\xa9: {}}\n"),
            "f:2:10: error: no zone or service is called 'lan\xc3\xa9'\n"
            "  allow: [\"lan\xc3\xa9 -> bd\"]\n"
            "           ^\n");
}

TEST(Names, AreGuessed) {
  EXPECT_EQ(did_you_mean("servces", {"zones", "services"}), "did you mean 'services'?");
  EXPECT_EQ(did_you_mean("LAN", {"lan"}), "did you mean 'lan'?");
  EXPECT_EQ(did_you_mean("bd", {"db"}), "did you mean 'db'?");
  EXPECT_EQ(did_you_mean("a", {"b"}), "");
  EXPECT_EQ(did_you_mean("frobnicate", {"zones"}), "");
  EXPECT_EQ(did_you_mean("", {"b"}), "");
  EXPECT_EQ(did_you_mean(std::string(1000, 'a'), {std::string(999, 'a')}), "");
}

TEST(Names, AreQuotedSafely) {
  EXPECT_EQ(quote("a\x1b[31m\n"), "'a\\x1b[31m\\x0a'");
  EXPECT_EQ(quote("\xc2\x9b"), "'\\x9b'");
  EXPECT_EQ(quote("\xc3\xa9"), "'\xc3\xa9'");
  EXPECT_EQ(quote(std::string(200, 'a')), "'" + std::string(80, 'a') + "...'");
}

}  // namespace
}  // namespace fw::config
