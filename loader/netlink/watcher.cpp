// SPDX-License-Identifier: GPL-2.0-only
// The subscription to route netlink groups.
#include "loader/netlink/watcher.h"

#include <linux/rtnetlink.h>

namespace fw::netlink {
namespace {

// A machine that starts a hundred containers at once should not overrun us.
constexpr int kReceiveBytes = 1 << 20;

int note(nl_msg* message, void* argument) {
  auto& changes = *static_cast<Changes*>(argument);
  switch (nlmsg_hdr(message)->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
      changes.interfaces = true;
      break;
    default:
      changes.routes = true;
  }
  return NL_OK;
}

}  // namespace

Result<Watcher> Watcher::open() {
  auto socket = connect();
  if (!socket) return socket.error();
  nl_socket_disable_seq_check(socket->get());
  nl_socket_set_nonblocking(socket->get());
  nl_socket_set_buffer_size(socket->get(), kReceiveBytes, 0);
  const int failed = nl_socket_add_memberships(socket->get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                               RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                               RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH, 0);
  if (failed < 0) return netlink_error("subscribing to network changes", failed);
  return Watcher{std::move(*socket)};
}

Result<Changes> Watcher::drain() {
  Changes changes;
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, note, &changes);
  for (;;) {
    const int failed = nl_recvmsgs_default(socket_.get());
    if (failed >= 0 || failed == -NLE_INTR) continue;
    if (failed == -NLE_AGAIN) return changes;
    // ENOBUFS. The socket works on, and is drained of what it still holds.
    if (failed != -NLE_NOMEM) return netlink_error("watching the network", failed);
    changes = {.interfaces = true, .routes = true};
  }
}

}  // namespace fw::netlink
