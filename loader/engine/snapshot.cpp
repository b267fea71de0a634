// SPDX-License-Identifier: GPL-2.0-only
// Two dialects of one API. docs/decisions/0017 lists how docker's and podman's answers differ.
#include "loader/engine/snapshot.h"

#include <cstdio>
#include <initializer_list>
#include <stdexcept>

namespace fw {

using nlohmann::json;

// For nlohmann's macros, which find these by their argument's namespace.
static void to_json(json& to, const Address& address) {
  to = address.to_string();
}
static void from_json(const json& from, Address& address) {
  auto parsed = Address::parse(from.get<std::string>());
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  address = *parsed;
}
static void to_json(json& to, const Prefix& prefix) {
  to = prefix.to_string();
}
static void from_json(const json& from, Prefix& prefix) {
  auto parsed = Prefix::parse(from.get<std::string>());
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  prefix = *parsed;
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ContainerNetwork, name, driver, bridge, subnets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ContainerAttachment, network, addresses, mac)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Container, engine, id, name, project, service, network_mode, pid,
                                   attachments)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Endpoints, containers, networks)

namespace engine {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Snapshot, engine, trouble, code, endpoints)

namespace {

using Path = std::initializer_list<const char*>;

// The member at the end of a path; null where there is none, whatever else is there.
const json& at(const json& object, Path path) {
  static const json kNothing;
  const json* here = &object;
  for (const char* name : path) {
    const auto found = here->is_object() ? here->find(name) : here->end();
    if (!here->is_object() || found == here->end()) return kNothing;
    here = &*found;
  }
  return *here;
}

std::string text_at(const json& object, Path path) {
  const json& found = at(object, path);
  return found.is_string() ? found.get<std::string>() : std::string{};
}

void add_address(const std::string& text, std::vector<Address>& addresses) {
  const auto address = Address::parse(text);
  if (address && !address->is_unspecified()) addresses.push_back(*address);
}

Mac parse_mac(const std::string& text) {
  Mac mac{};
  unsigned bytes[6];
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2],
                  &bytes[3], &bytes[4], &bytes[5]) != 6)
    return mac;
  for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<std::uint8_t>(bytes[i]);
  return mac;
}

std::vector<Prefix> read_subnets(const json& configs) {
  std::vector<Prefix> subnets;
  if (!configs.is_array()) return subnets;
  for (const json& config : configs)
    if (const auto subnet = Prefix::parse(text_at(config, {"Subnet"}))) subnets.push_back(*subnet);
  return subnets;
}

// podman lists its default network, "podman", under docker's name for it; the Id tells.
std::string network_name(const json& network) {
  constexpr const char* kPodmansDefault =
      "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9";
  return text_at(network, {"Id"}) == kPodmansDefault ? "podman" : text_at(network, {"Name"});
}

// docker names the bridge of a network after the network's Id unless an option names it; podman
// does not say at all.
std::string bridge_name(const json& network) {
  constexpr std::size_t kIdDigits = 12;
  const std::string named = text_at(network, {"Options", "com.docker.network.bridge.name"});
  return named.empty() ? "br-" + text_at(network, {"Id"}).substr(0, kIdDigits) : named;
}

}  // namespace

std::string text_of(const json& object, const char* name) {
  return text_at(object, {name});
}

std::string engine_name(const json& version) {
  const json& parts = at(version, {"Components"});
  const bool podman = parts.is_array() && !parts.empty() &&
                      text_at(parts.front(), {"Name"}).find("Podman") != std::string::npos;
  return podman ? "podman" : "docker";
}

std::string engine_title(const json& version) {
  return engine_name(version) + " " + text_at(version, {"Version"});
}

std::optional<Container> read_container(const json& answer, const std::string& engine) {
  const json& pid = at(answer, {"State", "Pid"});
  if (!pid.is_number_integer() || pid.get<std::int64_t>() <= 0) return std::nullopt;

  Container container;
  container.engine = engine;
  container.id = text_at(answer, {"Id"});
  container.name = text_at(answer, {"Name"});
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.project = text_at(answer, {"Config", "Labels", "com.docker.compose.project"});
  container.service = text_at(answer, {"Config", "Labels", "com.docker.compose.service"});
  container.network_mode = text_at(answer, {"HostConfig", "NetworkMode"});
  container.pid = pid.get<std::int32_t>();
  const json& networks = at(answer, {"NetworkSettings", "Networks"});
  if (!networks.is_object()) return container;
  for (const auto& [name, network] : networks.items()) {
    ContainerAttachment attachment;
    attachment.network = name;
    add_address(text_at(network, {"IPAddress"}), attachment.addresses);
    add_address(text_at(network, {"GlobalIPv6Address"}), attachment.addresses);
    attachment.mac = parse_mac(text_at(network, {"MacAddress"}));
    if (!attachment.addresses.empty()) container.attachments.push_back(std::move(attachment));
  }
  return container;
}

std::vector<ContainerNetwork> read_networks(const json& answer) {
  std::vector<ContainerNetwork> networks;
  if (!answer.is_array()) return networks;
  for (const json& each : answer) {
    ContainerNetwork network;
    network.name = network_name(each);
    network.driver = text_at(each, {"Driver"});
    network.subnets = read_subnets(at(each, {"IPAM", "Config"}));
    if (network.driver == "bridge") network.bridge = bridge_name(each);
    networks.push_back(std::move(network));
  }
  return networks;
}

std::string to_line(const Snapshot& snapshot) {
  return json(snapshot).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Snapshot> from_line(const std::string& line) {
  try {
    return json::parse(line).get<Snapshot>();
  } catch (const std::exception& error) {
    return Error{std::string{"reading what a container engine's follower says: "} + error.what()};
  }
}

}  // namespace engine
}  // namespace fw
