// SPDX-License-Identifier: GPL-2.0-only
// RTM_GETNSID: the kernel looks into /proc for us, and needs no right of ours for that.
#include "loader/netlink/namespaces.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "loader/netlink/socket.h"

namespace fw::netlink {
namespace {

int keep_id(nl_msg* message, void* argument) {
  const nlattr* attribute = nlmsg_find_attr(nlmsg_hdr(message), sizeof(rtgenmsg), NETNSA_NSID);
  if (attribute != nullptr) *static_cast<std::int32_t*>(argument) = nla_get_s32(attribute);
  return NL_OK;
}

// -1 when there is none.
Result<std::int32_t> ask(nl_sock* socket, std::int32_t pid) {
  const Message message{nlmsg_alloc_simple(RTM_GETNSID, 0)};
  rtgenmsg header{};
  std::int32_t id = NETNSA_NSID_NOT_ASSIGNED;
  if (!message || nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put_u32(message.get(), NETNSA_PID, static_cast<std::uint32_t>(pid)) < 0)
    return Error{"asking for a container's network namespace: out of memory"};
  nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, keep_id, &id);
  if (const int failed = nl_send_auto(socket, message.get()); failed < 0)
    return netlink_error("asking for a container's network namespace", failed);
  nl_recvmsgs_default(socket);  // an error: the process is gone
  return id;
}

}  // namespace

Result<std::map<std::int32_t, std::int32_t>> read_namespaces(const Endpoints& endpoints) {
  std::map<std::int32_t, std::int32_t> namespaces;
  if (endpoints.containers.empty()) return namespaces;
  auto socket = connect();
  if (!socket) return socket.error();
  nl_socket_disable_auto_ack(socket->get());
  for (const Container& container : endpoints.containers) {
    const auto id = ask(socket->get(), container.pid);
    if (!id) return id.error();
    if (*id >= 0) namespaces[container.pid] = *id;
  }
  return namespaces;
}

}  // namespace fw::netlink
