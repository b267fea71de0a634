// SPDX-License-Identifier: GPL-2.0-only
// Policies whose names, flows or doors make no sense, and what is said about them.
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

using WrongMeaning = Mistakes;

TEST_P(WrongMeaning, HasItsMessages) {
  const Parsed parsed = parse({"fwd.yaml", GetParam().policy});
  EXPECT_FALSE(parsed.policy);
  EXPECT_EQ(messages_of(parsed), GetParam().messages);
}

INSTANTIATE_TEST_SUITE_P(
    Tests, WrongMeaning,
    testing::Values(
        Mistake{"NotAList",
                kVersion + "tests: {name: a}\n",
                {"2:8: 'tests' must be a list of tests | write '- ' before each test"}},
        Mistake{
            "Incomplete",
            kVersion + "tests:\n  - {from: internet, deny: [host:22]}\n  - {name: a, from: []}\n",
            {"3:5: this test has no 'name' | write {name: only the door, from: internet, allow: "
             "[host:8080], deny: [host:22]}",
             "4:5: this test expects nothing: it has neither 'allow' nor 'deny' | write {name: "
             "only the door, from: internet, allow: [host:8080], deny: [host:22]}",
             "4:21: 'from' is an empty list | write {name: only the door, from: internet, "
             "allow: [host:8080], deny: [host:22]}"}},
        Mistake{"Names",
                kVersion + "tests:\n"
                           "  - {name: a, from: intrenet, deny: [hots:22], alow: [host]}\n"
                           "  - {name: a, from: 'host:22', deny: [host:ssh]}\n",
                {"3:21: no zone or service is called 'intrenet' | did you mean 'internet'?",
                 "3:38: no zone or service is called 'hots' | did you mean 'host'?",
                 "3:48: unknown key 'alow' | did you mean 'allow'?",
                 "4:12: two tests are called 'a'; the first is in line 3 | a failing test is found "
                 "by its name; rename one of them",
                 "4:27: a flow's source has no port | the port belongs after '->', to the "
                 "destination",
                 "4:44: no service in 'host' declares a port 'ssh' | it declares no ports; write a "
                 "number"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Names, WrongMeaning,
    testing::Values(
        Mistake{"Reserved",
                kVersion + "zones: {host: {}, internet: {}, none: {}, \"*\": {}}\n",
                {"2:9: 'host' is a name of fwd's own | choose another name for this zone",
                 "2:19: 'internet' is a name of fwd's own | choose another name for this zone",
                 "2:33: 'none' is a name of fwd's own | choose another name for this zone",
                 "2:43: '*' is a name of fwd's own | choose another name for this zone"}},
        Mistake{"Shape",
                kVersion + "zones: {\"80\": {}, 10.0.0.1: {}, \"a b\": {}, a/b: {}, \"\": {}}\n",
                {"2:9: '80' looks like an address or a port; a name needs a letter",
                 "2:19: '10.0.0.1' looks like an address or a port; a name needs a letter",
                 "2:33: 'a b' is not a name; names are made of letters, digits, '_', '.' and '-'",
                 "2:44: 'a/b' is not a name; names are made of letters, digits, '_', '.' and '-'",
                 "2:53: '' is not a name"}},
        Mistake{
            "Long",
            kVersion +
                "zones: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {}}\n",
            {"2:9: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is too long "
             "for a name; the most is 63 characters"}},
        Mistake{"ZoneAndService",
                kVersion + "zones: {db: {}}\n"
                           "services: {db: {host: true}}\n",
                {"3:12: 'db' is a zone already, in line 2 | a flow could mean either; rename one "
                 "of them"}},
        Mistake{"Member",
                kVersion + "zones: {lan: {services: [bd]}}\n"
                           "services: {db: {host: true}, api: {addresses: [10.0.0.1]}}\n",
                {"2:26: no service is called 'bd' | did you mean 'db'?"}},
        Mistake{"HostMember",
                kVersion + "zones: {lan: {services: [db]}}\n"
                           "services: {db: {host: true}}\n",
                {"2:26: service 'db' runs on the host, so it is in the zone 'host' | leave it out "
                 "of this zone"}},
        Mistake{
            "TwoZones",
            kVersion + "zones:\n"
                       "  a: {services: [db]}\n"
                       "  b: {services: [db]}\n"
                       "services: {db: {addresses: [10.0.0.1]}}\n",
            {"4:18: service 'db' is in two zones, 'a' (line 3) and 'b' | leave it in one of them"}},
        Mistake{"SameAddressTwoZones",
                kVersion + "zones:\n"
                           "  a: {services: [x]}\n"
                           "  b: {services: [y]}\n"
                           "services: {x: {addresses: [10.0.0.1]}, y: {addresses: [10.0.0.1]}}\n",
                {"4:18: address 10.0.0.1 of service 'y' is in two zones, 'a' (line 3) and 'b' | "
                 "leave it in one of them"}},
        Mistake{"SameSubnet",
                kVersion + "zones:\n"
                           "  a: {subnets: [10.0.0.0/8]}\n"
                           "  b: {subnets: [10.0.0.0/8]}\n",
                {"4:17: subnet 10.0.0.0/8 is in two zones, 'a' (line 3) and 'b' | leave it in one "
                 "of them"}},
        Mistake{"SameInterface",
                kVersion + "zones:\n"
                           "  a: {interfaces: [eth1]}\n"
                           "  b: {interfaces: [eth1]}\n",
                {"4:20: interface 'eth1' is in two zones, 'a' (line 3) and 'b' | leave it in one "
                 "of them"}},
        Mistake{"UplinkInZone",
                kVersion + "host: {uplinks: [eth1]}\n"
                           "zones: {a: {interfaces: [eth1]}}\n",
                {"2:18: 'eth1' is an uplink and also an interface of zone 'a' | name the networks "
                 "behind an uplink by 'subnets'"}},
        Mistake{"RulePeers",
                kAllow + "lna -> db\n"
                         "  - lan -> bd:80\n"
                         "  - none -> db\n"
                         "  - 10.0.0.300 -> db\n"
                         "  - 10.0.0.5/24 -> db\n"
                         "  - xyzzy -> db\n",
                {"6:5: no zone or service is called 'lna' | did you mean 'lan'?",
                 "7:12: no zone or service is called 'bd' | did you mean 'db'?",
                 "8:5: 'none' holds what no zone names, and no rule can name it",
                 "9:5: '10.0.0.300' is not an IPv4 or IPv6 address",
                 "10:5: '10.0.0.5/24' has bits set beyond its prefix; did you mean 10.0.0.0/24 or "
                 "10.0.0.5?",
                 "11:5: no zone or service is called 'xyzzy'"}},
        Mistake{"PortName",
                kAllow + "lan -> db:postgre\n"
                         "  - lan -> dns:xyz\n"
                         "  - lan -> *:metrics\n"
                         "  - lan -> internal:metrics\n"
                         "  - lan -> internet:http\n"
                         "  - lan -> 10.0.0.1:http\n"
                         "  - lan -> host:icmp\n"
                         "  - lan -> host:postgres\n",
                {"6:15: service 'db' declares no port 'postgre' | did you mean 'postgres'?",
                 "7:16: service 'dns' declares no port 'xyz' | declared: dns",
                 "8:14: no service in '*' declares a port 'metrics' | declared: dns, postgres",
                 "9:21: no service in 'internal' declares a port 'metrics' | declared: postgres",
                 "10:21: 'internet' declares no port names, so 'http' means nothing there | write "
                 "the port's number",
                 "11:21: '10.0.0.1' declares no port names, so 'http' means nothing there | write "
                 "the port's number",
                 "12:17: no service in 'host' declares a port 'icmp' | ICMP echo is the port name "
                 "'ping'",
                 "13:17: no service in 'host' declares a port 'postgres' | declared: dns"}},
        Mistake{"BrokenPortsReportedOnce",
                kVersion + "services: {db: {host: true, ports: {a: 99999}}}\n"
                           "allow: [host -> db:a]\n",
                {"2:40: port 99999 does not exist; ports are 1 to 65535"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Flow, WrongMeaning,
    testing::Values(
        Mistake{"NoArrow",
                kAllow + "lan to db\n",
                {"6:5: 'lan to db' is not a flow | a flow reads 'FROM -> TO', 'FROM -> TO:PORT' or "
                 "'FROM -> TO:PORT/PROTO'"}},
        Mistake{"NoFrom",
                kAllow + "\"-> db\"\n",
                {"6:6: a flow's source is missing | a flow reads 'FROM -> TO', 'FROM -> TO:PORT' "
                 "or 'FROM -> TO:PORT/PROTO'"}},
        Mistake{"NoTo",
                kAllow + "\"lan ->\"\n",
                {"6:12: a flow's destination is missing | a flow reads 'FROM -> TO', 'FROM -> "
                 "TO:PORT' or 'FROM -> TO:PORT/PROTO'"}},
        Mistake{"TwoArrows",
                kAllow + "lan -> db -> db\n",
                {"6:17: a flow has one '->' | a flow reads 'FROM -> TO', 'FROM -> TO:PORT' or "
                 "'FROM -> TO:PORT/PROTO'"}},
        Mistake{"Proto",
                kAllow + "lan -> db:80/tpc\n",
                {"6:18: unknown protocol 'tpc' | did you mean 'tcp'?"}},
        Mistake{"ProtoOnly",
                kAllow + "lan -> db/tcp\n",
                {"6:12: a protocol needs a port before it | every port is ':1-65535/tcp'"}},
        Mistake{"ProtoNotDeclared",
                kAllow + "lan -> dns:dns/tcp\n",
                {"6:20: port 'dns' of 'dns' is not declared for tcp"}},
        Mistake{"IcmpPort",
                kAllow + "lan -> db:80/icmp\n",
                {"6:18: ICMP has no ports | for ICMP echo write ':ping'"}},
        Mistake{"PingTcp",
                kAllow + "lan -> db:ping/tcp\n",
                {"6:20: 'ping' is ICMP echo and has no other protocol | write ':ping'"}},
        Mistake{"EmptyPort",
                kAllow + "\"lan -> db:\"\n"
                         "  - lan -> db:80,,81\n",
                {"6:16: a port is missing here | a flow reads 'FROM -> TO', 'FROM -> TO:PORT' or "
                 "'FROM -> TO:PORT/PROTO'",
                 "7:18: a port is missing here | a flow reads 'FROM -> TO', 'FROM -> TO:PORT' or "
                 "'FROM -> TO:PORT/PROTO'"}},
        Mistake{"BadPort",
                kAllow + "lan -> db:0\n"
                         "  - lan -> db:90-80\n"
                         "  - lan -> db:70000\n",
                {"6:15: port 0 does not exist; ports are 1 to 65535",
                 "7:15: the range 90-80 ends before it starts; did you mean 80-90?",
                 "8:15: port 70000 does not exist; ports are 1 to 65535"}},
        Mistake{
            "SourcePort",
            kAllow + "lan:80 -> db\n",
            {"6:9: a flow's source has no port | the port belongs after '->', to the destination"}},
        Mistake{"Colons",
                kAllow + "lan -> fd00:1:2:80\n",
                {"6:12: 'fd00:1:2:80' has too many colons | an IPv6 address with a port needs "
                 "brackets: [fd00::1]:80"}},
        Mistake{"Bracket",
                kAllow + "\"lan -> [fd00::1\"\n"
                         "  - \"lan -> [fd00::]/64:80\"\n",
                {"6:13: the '[' of an address is not closed | write [fd00::1]:80",
                 "7:21: expected ':PORT' after the bracket | write the prefix length inside: "
                 "[fd00::/64]:80"}},
        Mistake{
            "List",
            kWorld + "allow: lan -> db\n",
            {"5:8: 'allow' must be a list of flows | write '- lan -> db:5432', one line for each"}},
        Mistake{"Item",
                kAllow + "[lan, db]\n",
                {"6:5: an item of 'allow' must be one value, not a list"}},
        Mistake{"Null", kAllow + "\n", {"6:1: an item of 'allow' has no value"}},
        Mistake{
            "MapMissing",
            kAllow + "{from: lan}\n"
                     "  - {to: db}\n"
                     "  - {}\n",
            {"6:5: this rule has no 'to' | write {from: PEER, to: PEER:PORT}; '\"*\"' is any peer",
             "7:5: this rule has no 'from' | write {from: PEER, to: PEER:PORT}; '\"*\"' is any "
             "peer",
             "8:5: this rule has no 'from' | write {from: PEER, to: PEER:PORT}; '\"*\"' is any "
             "peer",
             "8:5: this rule has no 'to' | write {from: PEER, to: PEER:PORT}; '\"*\"' is any "
             "peer"}},
        Mistake{"MapEmpty",
                kAllow + "{from: [], to: []}\n",
                {"6:12: 'from' is an empty list | '\"*\"' is any peer",
                 "6:20: 'to' is an empty list | '\"*\"' is any peer"}},
        Mistake{"Quoted",
                kAllow + "\"lan -> bd:80\"\n",
                {"6:13: no zone or service is called 'bd' | did you mean 'db'?"}},
        Mistake{"Folded",
                kAllow + "lan ->\n"
                         "      bd:80\n",
                {"6:5: no zone or service is called 'bd' | did you mean 'db'?"}},
        Mistake{"Admin",
                kVersion + "host: {admin: [lan -> host:22]}\n",
                {"2:16: no zone or service is called 'lan'"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Publish, WrongMeaning,
    testing::Values(
        Mistake{"Loopback",
                kDoor + "{host: \"127.0.0.1:8000\", to: db:80, from: lan}\n"
                        "  v6: {host: \"[::1]:8000\", to: db:80, from: [host, internet]}\n",
                {"6:50: the door is on the loopback address 127.0.0.1, which only this machine's "
                 "own processes reach | leave 'from' out, or write the door on another address",
                 "7:14: the door is on an IPv6 address, and service 'db' has none of that family",
                 "7:45: the door is on the loopback address ::1, which only this machine's own "
                 "processes reach | leave 'from' out, or write the door on another address"}},
        Mistake{"Unspecified",
                kDoor + "{host: 0.0.0.0:80, to: db:80, from: lan}\n",
                {"6:15: '0.0.0.0' is not an address of this machine | write the port alone for "
                 "every address"}},
        Mistake{"Docker",
                kDoor + "{host: 22:22, to: db:80, from: lan}\n",
                {"6:15: '22:22' is not a port, a range or ADDRESS:PORT | 'host' is this machine's "
                 "side; the service's port is in 'to'"}},
        Mistake{"Missing",
                kDoor + "{}\n",
                {"6:3: door 'web' has no 'host' | write the port of this machine: host: 8080",
                 "6:3: door 'web' has no 'to' | write where it leads: to: SERVICE:PORT",
                 "6:3: door 'web' has no 'from' | write who may use the door: from: internet"}},
        Mistake{"NoFrom",
                kDoor + "{host: 80, to: db:80}\n",
                {"6:3: door 'web' has no 'from' | write who may use the door: from: internet"}},
        Mistake{"EmptyFrom",
                kDoor + "{host: 80, to: db:80, from: []}\n",
                {"6:36: 'from' is an empty list | write who may use the door: from: internet"}},
        Mistake{"ToWhat",
                kDoor + "{host: 80, to: bd:80, from: lan}\n"
                        "  a: {host: 81, to: lan:80, from: lan}\n"
                        "  b: {host: 82, to: db, from: lan}\n"
                        "  c: {host: 83, to: db:postgre, from: lan}\n"
                        "  d: {host: 84, to: db:80/udp, from: lan}\n"
                        "  e: {host: 85, to: \"db:0\", from: lan}\n",
                {"6:23: no service is called 'bd' | did you mean 'db'?",
                 "7:21: 'lan' is a zone; a door leads to one service",
                 "8:21: the port of service 'db' is missing | write SERVICE:PORT, with a number or "
                 "a name that the service declares",
                 "9:24: service 'db' declares no port 'postgre' | did you mean 'postgres'?",
                 "10:27: a door's protocol comes from the port that the service declares | declare "
                 "it: ports: {dns: 53/udp}",
                 "11:25: port 0 does not exist; ports are 1 to 65535"}},
        Mistake{"HostSide",
                kDoor + "{host: 80/udp, to: db:80, from: lan}\n"
                        "  a: {host: 192.0.2.1, to: db:80, from: lan}\n"
                        "  b: {host: 192.0.2.1:x, to: db:80, from: lan}\n"
                        "  c: {host: http, to: db:80, from: lan}\n",
                {"6:15: '80/udp' is not a port or a range of ports like 8000-8010 | the protocol "
                 "comes from the service's port: ports: {dns: 53/udp}",
                 "7:13: the door on '192.0.2.1' has no port | write ADDRESS:PORT",
                 "8:23: 'x' is not a port or a range of ports like 8000-8010",
                 "9:13: 'http' is not a port or a range of ports like 8000-8010"}},
        Mistake{"Sizes",
                kDoor + "{host: 80-81, to: db:80, from: lan}\n"
                        "  a: {router: 80-82, host: 90, to: db:80, from: lan}\n",
                {"6:15: the ranges differ in size: 'host' is 80-81 (2 ports), 'to' is 80 (1 port) "
                 "| ports are mapped one to one",
                 "7:15: the ranges differ in size: 'router' is 80-82 (3 ports), 'host' is 90 (1 "
                 "port) | ports are mapped one to one"}},
        Mistake{"Family",
                kDoor + "{host: \"[2001:db8::1]:80\", to: db:80, from: lan}\n",
                {"6:15: the door is on an IPv6 address, and service 'db' has none of that family"}},
        Mistake{"Same",
                kDoor + "{host: 80, to: db:80, from: lan}\n"
                        "  other: {host: 70-90, to: db:70-90, from: lan}\n"
                        "  fine: {host: 80, to: dns:53, from: lan}\n",
                {"7:3: doors 'web' (line 6) and 'other' (line 7) are both on port 80/tcp | give "
                 "one of them another port"}},
        Mistake{"Name",
                kWorld + "publish: {\"a b\": {host: 80, to: db:80, from: lan}}\n",
                {"5:11: 'a b' is not a name; names are made of letters, digits, '_', '.' and '-'"}},
        Mistake{"NoUplinks",
                kVersion + "services: {db: {addresses: [10.0.0.1]}}\n"
                           "publish: {a: {host: 80, to: db:80, from: internet}}\n",
                {"3:10: there are doors, but 'host' names no uplinks for them to face | write "
                 "'host: {uplinks: [eth0]}'; 'ip link' lists the interfaces"}},
        Mistake{"EmptyUplinks",
                kVersion + "host: {uplinks: []}\n"
                           "services: {db: {addresses: [10.0.0.1]}}\n"
                           "publish: {a: {host: 80, to: db:80, from: internet}}\n",
                {"4:10: there are doors, but 'host' names no uplinks for them to face | write "
                 "'host: {uplinks: [eth0]}'; 'ip link' lists the interfaces"}},
        Mistake{"FromPeer",
                kDoor + "{host: 80, to: db:80, from: [lan, internetz, lan:80]}\n",
                {"6:42: no zone or service is called 'internetz' | did you mean 'internet'?",
                 "6:57: a flow's source has no port | the port belongs after '->', to the "
                 "destination"}}),
    [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(Several, WrongMeaning,
                         testing::Values(Mistake{
                             "InFileOrder",
                             kVersion + "allow:\n"
                                        "  - lna -> db\n"
                                        "services: {db: {adresses: [10.0.0.1]}}\n"
                                        "zones: {lan: {masquerade: no}}\n"
                                        "nmae: x\n",
                             {"3:5: no zone or service is called 'lna' | did you mean 'lan'?",
                              "4:17: unknown key 'adresses' | did you mean 'addresses'?",
                              "5:27: 'masquerade' must be true or false, not 'no' | yes, no, on "
                              "and off are no booleans in YAML 1.2",
                              "6:1: unknown key 'nmae' | did you mean 'name'?"}}),
                         [](const auto& row) { return std::string{row.param.name}; });

INSTANTIATE_TEST_SUITE_P(
    Containers, WrongMeaning,
    testing::Values(
        Mistake{"Names",
                kVersion + "services:\n"
                           "  a: {container: -x}\n"
                           "  b: {container: [x]}\n"
                           "  c: {compose: shop}\n"
                           "  d: {compose: shop/a/b}\n"
                           "zones: {z: {networks: [a b]}}\n",
                {"3:18: '-x' cannot be the name of a container | 'docker ps' or 'podman ps' lists "
                 "the names",
                 "4:18: 'container' must be one value, not a list",
                 "5:16: 'shop' names no service of a compose project | write PROJECT/SERVICE, as "
                 "in 'compose: shop/web'",
                 "6:21: 'a/b' cannot be the name of a compose service | 'docker compose ls' lists "
                 "the projects",
                 "7:24: 'a b' cannot be the name of a container network | 'docker network ls' or "
                 "'podman network ls' lists the names"}},
        Mistake{"Twice",
                kVersion + "services:\n"
                           "  a: {host: true, container: x}\n"
                           "  b: {addresses: [10.0.0.1], compose: x/y}\n"
                           "  c: {container: x, compose: x/y}\n"
                           "zones: {y: {networks: [n]}, z: {networks: [n]}}\n",
                {"3:30: service 'a' has both 'host: true' and 'container' | a container in the "
                 "host's own network is the host to the kernel; leave its name out",
                 "4:39: service 'b' has both 'addresses' and 'compose' | the container engine says "
                 "the addresses; leave 'addresses' out",
                 "5:30: service 'c' has both 'container' and 'compose' | a compose service is "
                 "found by its project's name alone; leave 'container' out",
                 "6:44: network 'n' is in two zones, 'y' (line 6) and 'z' | leave it in one of "
                 "them"}}),
    [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace fw::config
