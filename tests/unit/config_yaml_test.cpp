// SPDX-License-Identifier: GPL-2.0-only
// What is refused before a policy has a meaning: YAML, keys and values.
#include "tests/unit/config_mistakes.h"

namespace fw::config {
namespace {

const std::string kVersion = "version: 1\n";
const std::string kWorld =
    "version: 1\n"
    "host: {uplinks: [eth0]}\n"
    "zones: {lan: {subnets: [10.0.0.0/24]}, internal: {services: [db]}}\n"
    "services: {db: {addresses: [172.20.1.3], ports: {postgres: 5432}}, dns: {host: true, ports: "
    "{dns: 53/udp}}}\n";
const std::string kAllow = kWorld + "allow:\n  - ";
const std::string kDoor = kWorld + "publish:\n  web: ";

using WrongText = Mistakes;

TEST_P(WrongText, HasItsMessages) {
  const Parsed parsed = parse({"fwd.yaml", GetParam().policy});
  EXPECT_FALSE(parsed.policy);
  EXPECT_EQ(messages_of(parsed), GetParam().messages);
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, WrongText,
    testing::Values(
        Mistake{
            "NoVersion", "name: x\n", {"1:1: the policy has no 'version' | write 'version: 1'"}},
        Mistake{"OtherVersion",
                "version: 2\n",
                {"1:10: version '2' is not one that this fwd reads | write 'version: 1'"}},
        Mistake{"Empty",
                "",
                {"0:0: the policy is empty | the least that a policy says is 'version: 1'"}},
        Mistake{"OnlySpace",
                "  \n"
                "\n",
                {"0:0: the policy is empty | the least that a policy says is 'version: 1'"}},
        Mistake{"OnlyComments",
                "# nothing\n",
                {"0:0: the policy is empty | the least that a policy says is 'version: 1'"}},
        Mistake{"Null",
                "~\n",
                {"0:0: the policy is empty | the least that a policy says is 'version: 1'"}},
        Mistake{"List", "- a\n", {"1:1: a policy must be a map of 'key: value', not a list"}},
        Mistake{"Glued",
                "version:1\n",
                {"1:1: a policy must be a map of 'key: value', not 'version:1' | is a space "
                 "missing after ':'?"}},
        Mistake{"Tab",
                kVersion + "zones:\n"
                           "\011lan: {}\n",
                {"3:1: a tab cannot indent YAML | indent with spaces"}},
        Mistake{"TabAfterDash",
                kVersion + "allow:\n"
                           "  -\011a -> b\n",
                {"3:4: a tab cannot indent YAML | indent with spaces"}},
        Mistake{
            "Anchor",
            kVersion + "name: &n x\n",
            {"2:7: YAML anchors ('&n') are not accepted | write the value out where it is used"}},
        Mistake{"Alias",
                kVersion + "name: *n\n",
                {"2:7: a value starts with '*', which YAML takes for an alias | quote a value that "
                 "starts with '*': \"*\" or \"* -> db:5432\""}},
        Mistake{"Cycle",
                "&a [*a]\n",
                {"1:1: YAML anchors ('&a') are not accepted | write the value out where it is used",
                 "1:1: a policy must be a map of 'key: value', not a list",
                 "1:5: YAML aliases are not accepted | write the value out; or quote a value that "
                 "starts with '*': \"*\" or \"* -> db:5432\""}},
        Mistake{"Merge",
                kVersion + "<<: {name: x}\n",
                {"2:1: YAML merge keys ('<<') are not accepted | write the entries out where they "
                 "are used"}},
        Mistake{"Tag",
                kVersion + "name: !!str x\n",
                {"2:7: YAML tags ('tag:yaml.org,2002:str') are not accepted | leave the tag out"}},
        Mistake{"Duplicate",
                kVersion + "name: a\n"
                           "name: b\n",
                {"3:1: duplicate key 'name'; the first is in line 2"}},
        Mistake{"DuplicateInner",
                kVersion + "zones:\n"
                           "  lan: {}\n"
                           "  lan: {}\n",
                {"4:3: duplicate key 'lan'; the first is in line 3"}},
        Mistake{"TwoDocuments",
                kVersion + "---\n"
                           "version: 1\n",
                {"2:1: a policy is one YAML document, and here a second one begins | put each "
                 "policy in a file of its own"}},
        Mistake{"ListAsKey",
                kVersion + "? [a]\n"
                           ": b\n",
                {"2:3: a key must be a name | write 'name: value'"}},
        Mistake{"Unclosed",
                kVersion + "zones: {lan: {subnets: [10.0.0.0/24}}\n",
                {"2:36: this bracket does not fit the one that was opened last"}},
        Mistake{"UnclosedQuote",
                kVersion + "name: \"x\n"
                           "allow: []\n",
                {"3:10: a quoted text is not closed"}},
        Mistake{"UnclosedSingle", kVersion + "name: 'x\n", {"2:9: a quoted text is not closed"}},
        Mistake{"Indent",
                kVersion + "zones:\n"
                           "    a: {}\n"
                           "  b: {}\n",
                {"4:3: this line does not fit what stands before it | compare its indentation with "
                 "the lines above"}},
        Mistake{"TwoValues",
                kVersion + "name: a: b\n",
                {"2:8: a ':' is not expected here | quote a value with ': ' in it"}},
        Mistake{"Star",
                kVersion + "allow:\n"
                           "  - * -> host:22\n",
                {"3:6: a value starts with '*', which YAML takes for an alias | quote a value that "
                 "starts with '*': \"*\" or \"* -> db:5432\""}},
        Mistake{"StarPeer",
                kVersion + "allow:\n"
                           "  - {from: *, to: host}\n",
                {"3:13: a value starts with '*', which YAML takes for an alias | quote a value "
                 "that starts with '*': \"*\" or \"* -> db:5432\""}},
        Mistake{"Brackets",
                kVersion + "allow:\n"
                           "  - {from: host, to: [::1]:80}\n",
                {"3:27: expected ',' or '}' here; the '{' of line 3 column 5 is still open | quote "
                 "a value with brackets in it: \"lan -> [fd00::1]:80\""}},
        Mistake{"Nul",
                std::string{"version: 1\000\n", 12},
                {"1:11: the policy holds the control character '\\x00' | a policy is plain text; "
                 "is this the right file?"}},
        Mistake{"Escape",
                kVersion + "name: \033[31m\n",
                {"2:7: the policy holds the control character '\\x1b' | a policy is plain text; is "
                 "this the right file?"}},
        Mistake{"Latin1",
                kVersion + "name: \351\n",
                {"2:7: the policy is not UTF-8 text | save the file as UTF-8"}},
        Mistake{"Percent",
                "%FOO\n",
                {"0:0: the policy is empty | the least that a policy says is 'version: 1'"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongText,
    testing::Values(Mistake{"Top",
                            kVersion + "servces: {}\n",
                            {"2:1: unknown key 'servces' | did you mean 'services'?"}},
                    Mistake{"TopFar",
                            kVersion + "frobnicate: 1\n",
                            {"2:1: unknown key 'frobnicate' | a policy has the keys version, name, "
                             "host, zones, services, publish, allow, block, limits, deny, "
                             "tests"}},
                    Mistake{"Later",
                            kVersion + "log: {}\n"
                                       "compose: []\n",
                            {"2:1: 'log' is not supported by this version of fwd",
                             "3:1: 'compose' is not supported by this version of fwd"}},
                    Mistake{"Host",
                            kVersion + "host: {uplink: [eth0]}\n",
                            {"2:8: unknown key 'uplink' | did you mean 'uplinks'?"}},
                    Mistake{"Zone",
                            kVersion + "zones: {lan: {subnet: [10.0.0.0/8]}}\n",
                            {"2:15: unknown key 'subnet' | did you mean 'subnets'?"}},
                    Mistake{"Service",
                            kVersion + "services: {db: {host: true, prots: {a: 80}}}\n",
                            {"2:29: unknown key 'prots' | did you mean 'ports'?"}},
                    Mistake{"ServiceLater",
                            kVersion + "services:\n"
                                       "  c: {host: true, check: {}}\n",
                            {"3:19: 'check' is not supported by this version of fwd"}},
                    Mistake{"Door",
                            kDoor + "{hots: 80, to: db:80, from: lan}\n",
                            {"6:9: unknown key 'hots' | did you mean 'host'?"}},
                    Mistake{"Rule",
                            kAllow + "{form: lan, to: db}\n",
                            {"6:6: unknown key 'form' | did you mean 'from'?"}},
                    Mistake{"RuleLater",
                            kAllow + "{from: lan, to: db, log: new}\n",
                            {"6:25: 'log' is not supported by this version of fwd"}},
                    Mistake{"SpacedFlow",
                            kAllow + "lan -> db: 80\n",
                            {"6:5: unknown key 'lan -> db' | a flow has no space after ':', as in "
                             "'lan -> db:5432'"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Values, WrongText,
    testing::Values(
        Mistake{"Yes",
                kVersion + "zones: {lan: {masquerade: yes}}\n",
                {"2:27: 'masquerade' must be true or false, not 'yes' | yes, no, on and off are no "
                 "booleans in YAML 1.2"}},
        Mistake{"Off",
                kVersion + "services: {a: {host: off}}\n",
                {"2:22: 'host' must be true or false, not 'off' | yes, no, on and off are no "
                 "booleans in YAML 1.2"}},
        Mistake{"QuotedTrue",
                kVersion + "services: {a: {host: \"true\"}}\n",
                {"2:22: 'host' must be true or false, not 'true' | leave the quotes out"}},
        Mistake{"Intra",
                kVersion + "zones: {lan: {intra: alow}}\n",
                {"2:22: 'intra' must be allow or deny, not 'alow' | did you mean 'allow'?"}},
        Mistake{"Egress",
                kVersion + "host: {egress: true}\n",
                {"2:16: 'egress' must be allow or deny, not 'true'"}},
        Mistake{"Datapath",
                kVersion + "host: {uplinks: [eth0], datapath: {eth0: xpd, eht0: tc}}\n",
                {"2:42: a datapath is auto, xdp or tc, not 'xpd' | did you mean 'xdp'?",
                 "2:47: 'eht0' is neither an uplink nor an interface of a zone | did you mean "
                 "'eth0'?"}},
        Mistake{"UplinkText",
                kVersion + "host: {uplinks: eth0}\n",
                {"2:17: 'uplinks' must be a list, not 'eth0' | write [eth0]"}},
        Mistake{"UplinkName",
                kVersion + "host: {uplinks: [a/b, averylonginterface]}\n",
                {"2:18: 'a/b' cannot be the name of a network interface | 'ip link' lists the "
                 "interfaces; a name has at most 15 characters",
                 "2:23: 'averylonginterface' cannot be the name of a network interface | 'ip link' "
                 "lists the interfaces; a name has at most 15 characters"}},
        Mistake{"SectionList",
                kVersion + "zones: [a]\n"
                           "services: 5\n"
                           "host: []\n"
                           "publish: x\n",
                {"2:8: 'zones' must be a map of 'key: value', not a list",
                 "3:11: 'services' must be a map of 'key: value', not '5'",
                 "4:7: 'host' must be a map of 'key: value', not a list",
                 "5:10: 'publish' must be a map of 'key: value', not 'x'"}},
        Mistake{"PolicyName",
                kVersion + "name: a b\n",
                {"2:7: 'a b' is not a name; names are made of letters, digits, '_', '.' and '-'"}},
        Mistake{"NullValues",
                kVersion + "zones: {lan: }\n"
                           "services: {db: }\n",
                {"2:9: zone 'lan' must be a map of 'key: value', not nothing",
                 "3:12: service 'db' must be a map of 'key: value', not nothing"}},
        Mistake{
            "NullItem",
            kVersion + "host: {uplinks: [~, \"\"]}\n",
            {"2:18: an item of 'uplinks' has no value", "2:21: an item of 'uplinks' has no value"}},
        Mistake{
            "Subnet",
            kVersion + "zones: {lan: {subnets: [10.0.0.5/24, 10.0.0.0/33, lan, \"fd00::1/64\"]}}\n",
            {"2:25: '10.0.0.5/24' has bits set beyond its prefix; did you mean 10.0.0.0/24 or "
             "10.0.0.5?",
             "2:38: '10.0.0.0/33' has a bad prefix length; IPv4 has 0 to 32",
             "2:51: 'lan' is not an IPv4 or IPv6 address",
             "2:57: 'fd00::1/64' has bits set beyond its prefix; did you mean fd00::/64 or "
             "fd00::1?"}},
        Mistake{"ServiceAddress",
                kVersion + "services: {a: {addresses: [10.0.0.0/24, 0.0.0.0, 127.0.0.1, 224.0.0.1, "
                           "300.1.1.1]}}\n",
                {"2:28: '10.0.0.0/24' is not an IPv4 or IPv6 address | a service has addresses; a "
                 "subnet belongs to a zone",
                 "2:41: '0.0.0.0' cannot be the address of a service",
                 "2:50: '127.0.0.1' cannot be the address of a service | a service of this machine "
                 "itself has 'host: true'",
                 "2:61: '224.0.0.1' cannot be the address of a service",
                 "2:72: '300.1.1.1' is not an IPv4 or IPv6 address"}},
        Mistake{"NoAddress",
                kVersion + "services:\n"
                           "  a: {}\n"
                           "  b: {addresses: []}\n"
                           "  c: {host: false}\n",
                {"3:3: service 'a' is nowhere: it has no addresses | write 'addresses: [...]', "
                 "'container: NAME', 'compose: PROJECT/SERVICE', or 'host: true' for a service of "
                 "this machine",
                 "4:3: service 'b' is nowhere: it has no addresses | write 'addresses: [...]', "
                 "'container: NAME', 'compose: PROJECT/SERVICE', or 'host: true' for a service of "
                 "this machine",
                 "5:3: service 'c' is nowhere: it has no addresses | write 'addresses: [...]', "
                 "'container: NAME', 'compose: PROJECT/SERVICE', or 'host: true' for a service of "
                 "this machine"}},
        Mistake{"HostAndAddress",
                kVersion + "services: {a: {host: true, addresses: [10.0.0.1]}}\n",
                {"2:39: service 'a' has both 'host: true' and 'addresses' | a service of this "
                 "machine has the machine's addresses; leave 'addresses' out"}},
        Mistake{"Ports",
                kVersion + "services:\n"
                           "  a:\n"
                           "    host: true\n"
                           "    ports: {a: 0, b: 65536, c: 90-80, d: 22:22, e: 80/tpc, f: 80/icmp, "
                           "ping: 80, \"80\": 80, g: [80], h: }\n",
                {"5:16: port 0 does not exist; ports are 1 to 65535",
                 "5:22: port 65536 does not exist; ports are 1 to 65535",
                 "5:32: the range 90-80 ends before it starts; did you mean 80-90?",
                 "5:42: '22:22' is not a port or a range of ports like 8000-8010 | a service "
                 "declares its own port; 'publish' maps it",
                 "5:55: unknown protocol 'tpc' | did you mean 'tcp'?",
                 "5:66: ICMP has no ports | ping is a port name that needs no declaration",
                 "5:72: 'ping' is ICMP echo, and every service has it",
                 "5:82: '80' looks like an address or a port; a name needs a letter",
                 "5:95: 'g' must be one value, not a list", "5:101: 'h' has no value"}},
        Mistake{"PortsList",
                kVersion + "services: {a: {host: true, ports: [80]}}\n",
                {"2:35: 'ports' must be a map of 'key: value', not a list"}}),
    [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace fw::config
