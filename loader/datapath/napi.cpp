// SPDX-License-Identifier: GPL-2.0-only
// Finding the other ends of veths by network namespace id, and asking them for GRO and XDP.
#include "loader/datapath/napi.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <thread>

#include "loader/netlink/ethtool.h"
#include "loader/netlink/socket.h"

namespace fw::datapath {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Where container engines and `ip netns` keep namespaces that may have no process.
constexpr const char* kNamed[] = {"/run/netns", "/run/docker/netns"};

// How this namespace calls the other end's: the kernel's nsid, or kHere.
using NamespaceId = std::int32_t;
constexpr NamespaceId kHere = -1;

struct FarEnd {
  Veth near;
  int index = 0;
};

int take_id(nl_msg* message, void* argument) {
  const nlattr* id = nlmsg_find_attr(nlmsg_hdr(message), sizeof(rtgenmsg), NETNSA_NSID);
  if (id != nullptr) *static_cast<NamespaceId*>(argument) = nla_get_s32(id);
  return NL_OK;
}

// kHere when this namespace has no id for the one behind `namespace_fd`.
NamespaceId namespace_id(nl_sock* socket, int namespace_fd) {
  NamespaceId id = kHere;
  nl_msg* request = nlmsg_alloc_simple(RTM_GETNSID, 0);
  if (request == nullptr) return kHere;
  rtgenmsg header{};
  nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO);
  nla_put_u32(request, NETNSA_FD, static_cast<std::uint32_t>(namespace_fd));
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, take_id, &id);
  const netlink::Message owner{request};
  if (nl_send_auto(socket, request) < 0 || nl_recvmsgs_default(socket) < 0) return kHere;
  return id;
}

std::vector<fs::path> namespace_files() {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const char* directory : kNamed)
    for (const auto& entry : fs::directory_iterator{directory, ignored})
      files.push_back(entry.path());
  for (const auto& entry : fs::directory_iterator{"/proc", ignored})
    if (entry.path().filename().native().find_first_not_of("0123456789") == std::string::npos)
      files.push_back(entry.path() / "ns/net");
  return files;
}

// Descriptors of the namespaces with these ids, as far as they are found in time.
std::map<NamespaceId, bpf::Fd> find_namespaces(std::set<NamespaceId> ids,
                                               Clock::time_point deadline) {
  std::map<NamespaceId, bpf::Fd> found;
  std::set<ino_t> seen;
  ids.erase(kHere);
  if (ids.empty()) return found;
  auto socket = netlink::connect();
  if (!socket) return found;
  // One answer to one question: an acknowledgement would be taken for the next answer.
  nl_socket_disable_auto_ack(socket->get());
  for (const auto& file : namespace_files()) {
    if (found.size() == ids.size() || Clock::now() > deadline) break;
    struct stat info {};
    if (stat(file.c_str(), &info) != 0 || !seen.insert(info.st_ino).second) continue;
    bpf::Fd opened{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!opened) continue;
    const NamespaceId id = namespace_id(socket->get(), opened.get());
    if (ids.contains(id)) found.insert_or_assign(id, std::move(opened));
  }
  return found;
}

bool has_native_xdp(int index) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  return bpf_xdp_query(index, 0, &query) == 0 && query.drv_prog_id != 0;
}

// In the namespace of the far end.
Napi ask_far_end(nl_sock* socket, const FarEnd& end) {
  rtnl_link* raw = nullptr;
  if (rtnl_link_get_kernel(socket, end.index, nullptr, &raw) < 0)
    return {.why = "its other end is gone"};
  const netlink::Link link{raw};
  const char* kind = rtnl_link_get_type(raw);
  if (kind == nullptr || std::string_view{kind} != "veth" ||
      rtnl_link_get_link(raw) != static_cast<int>(end.near.index))
    return {.why = "its other end is no veth of this pair"};
  if ((rtnl_link_get_flags(raw) & IFF_UP) == 0) return {.why = "its other end is down"};
  if (has_native_xdp(end.index)) return {.ready = true, .why = "XDP runs at its other end"};
  const std::string name = rtnl_link_get_name(raw);
  auto gro = netlink::gro_enabled(name);
  if (!gro) return {.why = gro.error().message};
  if (*gro) return {.ready = true, .why = "GRO is on at its other end"};
  if (!end.near.enable) return {.why = "GRO is off at its other end"};
  if (auto enabled = netlink::enable_gro(name); !enabled) return {.why = enabled.error().message};
  return {.ready = true, .why = "GRO turned on at its other end"};
}

std::map<NamespaceId, std::vector<FarEnd>> group_by_namespace(nl_sock* socket,
                                                              const std::vector<Veth>& veths) {
  std::map<NamespaceId, std::vector<FarEnd>> groups;
  for (const Veth& veth : veths) {
    rtnl_link* raw = nullptr;
    if (rtnl_link_get_kernel(socket, static_cast<int>(veth.index), nullptr, &raw) < 0) continue;
    const netlink::Link link{raw};
    NamespaceId id = kHere;
    if (rtnl_link_get_link_netnsid(raw, &id) < 0) id = kHere;
    groups[id].push_back({.near = veth, .index = rtnl_link_get_link(raw)});
  }
  return groups;
}

// Runs in a thread that ends afterwards, so it need not find its way back.
void probe_here(const std::vector<Veth>& veths, Clock::time_point deadline,
                std::map<std::uint32_t, Napi>& answers) {
  auto socket = netlink::connect();
  if (!socket) return;
  auto groups = group_by_namespace(socket->get(), veths);
  for (const FarEnd& end : groups[kHere]) answers[end.near.index] = ask_far_end(socket->get(), end);

  std::set<NamespaceId> ids;
  for (const auto& [id, ends] : groups) ids.insert(id);
  for (const auto& [id, entrance] : find_namespaces(ids, deadline)) {
    if (Clock::now() > deadline) return;
    if (setns(entrance.get(), CLONE_NEWNET) != 0) continue;
    auto there = netlink::connect();
    if (!there) continue;
    for (const FarEnd& end : groups[id]) answers[end.near.index] = ask_far_end(there->get(), end);
  }
}

}  // namespace

std::map<std::uint32_t, Napi> probe_napi(const std::vector<Veth>& veths,
                                         std::chrono::milliseconds budget) {
  std::map<std::uint32_t, Napi> answers;
  if (veths.empty()) return answers;
  for (const Veth& veth : veths)
    answers[veth.index] = {.why = "the network namespace of its other end was not found"};
  std::thread{[&] { probe_here(veths, Clock::now() + budget, answers); }}.join();
  return answers;
}

}  // namespace fw::datapath
