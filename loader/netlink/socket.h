// SPDX-License-Identifier: GPL-2.0-only
// Ownership of libnl's objects, and its error numbers as our errors.
#pragma once

#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>

#include <memory>
#include <string>

#include "loader/base/result.h"
#include "loader/bpf/handles.h"

namespace fw::netlink {

using Socket = std::unique_ptr<nl_sock, bpf::DestroyWith<nl_socket_free>>;
using Cache = std::unique_ptr<nl_cache, bpf::DestroyWith<nl_cache_free>>;
using Message = std::unique_ptr<nl_msg, bpf::DestroyWith<nlmsg_free>>;
using Link = std::unique_ptr<rtnl_link, bpf::DestroyWith<rtnl_link_put>>;

inline Error netlink_error(const std::string& doing, int code) {
  return Error{doing + ": " + nl_geterror(code)};
}

// A netlink socket in the calling thread's network namespace.
inline Result<Socket> connect(int protocol = NETLINK_ROUTE) {
  Socket socket{nl_socket_alloc()};
  if (!socket) return Error{"allocating a netlink socket: out of memory"};
  if (const int failed = nl_connect(socket.get(), protocol); failed < 0)
    return netlink_error("opening a netlink socket", failed);
  return socket;
}

}  // namespace fw::netlink
