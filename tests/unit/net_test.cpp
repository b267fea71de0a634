// SPDX-License-Identifier: GPL-2.0-only
// Addresses, prefixes and port ranges: what is read, what is refused, and how they compare.
#include "loader/base/net.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace fw {
namespace {

Address address(std::string_view text) {
  const auto result = Address::parse(text);
  EXPECT_TRUE(result) << text;
  return result ? *result : Address{};
}

Prefix prefix(std::string_view text) {
  const auto result = Prefix::parse(text);
  EXPECT_TRUE(result) << text << ": " << (result ? "" : result.error().message);
  return result ? *result : Prefix{};
}

TEST(Address, ReadsAndWritesBothFamilies) {
  for (const char* text : {"0.0.0.0", "127.0.0.1", "192.168.1.10", "255.255.255.255", "::", "::1",
                           "fd00:dead:beef:1::10", "2001:db8::", "ff02::1", "1:2:3:4:5:6:7:8"}) {
    EXPECT_EQ(address(text).to_string(), text);
  }
  EXPECT_EQ(address("2001:DB8:0:0::1").to_string(), "2001:db8::1");
  EXPECT_EQ(address("::1.2.3.4").family(), Family::kIpv6);
}

TEST(Address, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      " ",
                                      "10",
                                      "10.0.0",
                                      "10.0.0.0.1",
                                      "256.0.0.1",
                                      "01.2.3.4",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.4/32",
                                      "0x7f.0.0.1",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      "12345::",
                                      "1:2:3:4:5:6:7",
                                      "g::",
                                      "::ffff:1.2.3.4",
                                      "::ffff:0:0"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
  EXPECT_FALSE(Address::parse(std::string_view{"1.2.3.4\0x", 9}));
  EXPECT_EQ(Address::parse("::ffff:10.0.0.1").error().message,
            "'::ffff:10.0.0.1' is an IPv4 address in IPv6 form; write 10.0.0.1");
}

TEST(Address, KnowsItsFamilyAndKind) {
  EXPECT_TRUE(address("10.0.0.1").is_ipv4());
  EXPECT_FALSE(address("::1").is_ipv4());
  EXPECT_TRUE(address("127.255.0.9").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback());
  EXPECT_FALSE(address("1::1").is_loopback());
  EXPECT_FALSE(address("::").is_loopback());
  EXPECT_TRUE(address("0.0.0.0").is_unspecified());
  EXPECT_TRUE(address("::").is_unspecified());
  EXPECT_FALSE(address("0.0.0.1").is_unspecified());
  EXPECT_EQ(Address{}, address("::"));
}

TEST(Address, ConvertsToTheAbiAndBack) {
  for (const char* text : {"192.0.2.7", "2001:db8::7", "::"}) {
    EXPECT_EQ(Address::from_abi(address(text).to_abi()), address(text));
  }
  EXPECT_EQ(address("192.0.2.7").to_abi().w[2], htonl(0xffff));
  EXPECT_EQ(address("192.0.2.7").to_abi().w[3], htonl(0xc0000207));
  EXPECT_EQ(address("192.0.2.7").ipv4_be(), htonl(0xc0000207));
  EXPECT_EQ(Address::from_ipv4(0xc0000207), address("192.0.2.7"));
  const in_addr ipv4{htonl(0x0a000001)};
  EXPECT_EQ(Address::from_bytes(Family::kIpv4, &ipv4), address("10.0.0.1"));
}

TEST(Address, IsOrdered) {
  EXPECT_LT(address("9.0.0.1"), address("10.0.0.1"));
  EXPECT_LT(address("10.0.0.1"), address("2001:db8::1"));
}

TEST(Prefix, ReadsAndWrites) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.168.1.128/25", "192.0.2.1", "::/0",
                           "fd00:1::/64", "fd00::/8", "2001:db8::1", "8000::/1"}) {
    EXPECT_EQ(prefix(text).to_string(), text);
  }
  EXPECT_EQ(prefix("192.0.2.1/32"), prefix("192.0.2.1"));
  EXPECT_EQ(prefix("192.0.2.1").length(), 32U);
  EXPECT_EQ(prefix("::1").length(), 128U);
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                           "10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0.0/8x", "::/129", "fd00::/",
                           "::ffff:0:0/96", "10.0.0.0/4294967304"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
  EXPECT_EQ(Prefix::parse("10.0.0.5/24").error().message,
            "'10.0.0.5/24' has bits set beyond its prefix; did you mean 10.0.0.0/24 or 10.0.0.5?");
  EXPECT_EQ(Prefix::parse("fd00::1/64").error().message,
            "'fd00::1/64' has bits set beyond its prefix; did you mean fd00::/64 or fd00::1?");
  EXPECT_EQ(Prefix::parse("10.0.0.0/64").error().message,
            "'10.0.0.0/64' has a bad prefix length; IPv4 has 0 to 32");
}

TEST(Prefix, ClearsHostBits) {
  EXPECT_EQ(Prefix(address("10.1.2.3"), 8).to_string(), "10.0.0.0/8");
  EXPECT_EQ(Prefix(address("10.1.2.255"), 25).to_string(), "10.1.2.128/25");
  EXPECT_EQ(Prefix(address("10.1.2.3"), 0).to_string(), "0.0.0.0/0");
  EXPECT_EQ(Prefix(address("2001:db8::ffff"), 127).to_string(), "2001:db8::fffe/127");
  EXPECT_EQ(Prefix(address("ffff::"), 0).to_string(), "::/0");
}

TEST(Prefix, ContainsOnlyItsOwnFamily) {
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(address("10.255.0.1")));
  EXPECT_FALSE(prefix("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_TRUE(prefix("192.168.1.128/25").contains(address("192.168.1.128")));
  EXPECT_FALSE(prefix("192.168.1.128/25").contains(address("192.168.1.127")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("203.0.113.1")));
  EXPECT_FALSE(prefix("::/0").contains(address("203.0.113.1")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
}

TEST(PortRange, ReadsAndWrites) {
  EXPECT_EQ((*PortRange::parse("80")), (PortRange{80, 80}));
  EXPECT_EQ((*PortRange::parse("30000-30100")), (PortRange{30000, 30100}));
  EXPECT_EQ((*PortRange::parse("1-65535")).size(), 65535U);
  EXPECT_EQ((PortRange{80, 80}.to_string()), "80");
  EXPECT_EQ((PortRange{80, 81}.to_string()), "80-81");
  EXPECT_TRUE((PortRange{80, 81}.contains(81)));
  EXPECT_FALSE((PortRange{80, 81}.contains(82)));
}

TEST(PortRange, SaysWhatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto range = PortRange::parse(text);
    return range ? "read" : range.error().message;
  };
  EXPECT_EQ(message("0"), "port 0 does not exist; ports are 1 to 65535");
  EXPECT_EQ(message("65536"), "port 65536 does not exist; ports are 1 to 65535");
  EXPECT_EQ(message("80-70000"), "port 70000 does not exist; ports are 1 to 65535");
  EXPECT_EQ(message("90-80"), "the range 90-80 ends before it starts; did you mean 80-90?");
  for (const char* text : {"", "-", "80-", "-80", "http", "080", "+80", " 80", "80 ", "80-90-95",
                           "22:22", "1e3", "0x50", "99999999999999999999"}) {
    EXPECT_EQ(message(text),
              "'" + std::string{text} + "' is not a port or a range of ports like 8000-8010");
  }
}

}  // namespace
}  // namespace fw
