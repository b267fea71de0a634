// SPDX-License-Identifier: GPL-2.0-only
#include "loader/inventory/sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

#include "loader/netlink/socket.h"

namespace fw::inventory {
namespace {

struct Question {
  std::uint8_t family;
  Proto proto;
  std::uint32_t states;  // a bit for each
};

// A UDP socket without a peer is in the state that TCP calls closed.
constexpr Question kQuestions[] = {
    {AF_INET, Proto::kTcp, 1U << TCP_LISTEN},
    {AF_INET6, Proto::kTcp, 1U << TCP_LISTEN},
    {AF_INET, Proto::kUdp, 1U << TCP_CLOSE},
    {AF_INET6, Proto::kUdp, 1U << TCP_CLOSE},
};

struct Answer {
  Proto proto;
  std::vector<Socket>* sockets;
};

Socket to_socket(Proto proto, nlmsghdr* header) {
  const auto* diag = static_cast<const inet_diag_msg*>(nlmsg_data(header));
  const bool ipv6 = diag->idiag_family == AF_INET6;
  Socket socket;
  socket.inode = diag->idiag_inode;
  socket.interface = diag->id.idiag_if;
  Listener& listener = socket.listener;
  listener.proto = proto;
  listener.port = ntohs(diag->id.idiag_sport);
  listener.address = Address::from_bytes(ipv6 ? Family::kIpv6 : Family::kIpv4, diag->id.idiag_src);
  nlattr* only_ipv6 = nlmsg_find_attr(header, sizeof(*diag), INET_DIAG_SKV6ONLY);
  listener.dual_stack = ipv6 && !listener.address.is_ipv4() && listener.address.is_unspecified() &&
                        only_ipv6 != nullptr && nla_get_u8(only_ipv6) == 0;
  return socket;
}

int take(nl_msg* message, void* argument) {
  const auto& answer = *static_cast<const Answer*>(argument);
  nlmsghdr* header = nlmsg_hdr(message);
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return NL_SKIP;
  Socket socket = to_socket(answer.proto, header);
  if (socket.listener.port != 0) answer.sockets->push_back(std::move(socket));
  return NL_OK;
}

}  // namespace

Result<std::vector<Socket>> read_sockets() {
  auto connection = netlink::connect(NETLINK_SOCK_DIAG);
  if (!connection) return connection.error();
  std::vector<Socket> sockets;
  for (const Question& question : kQuestions) {
    inet_diag_req_v2 request{};
    request.sdiag_family = question.family;
    request.sdiag_protocol = static_cast<std::uint8_t>(question.proto);
    request.idiag_states = question.states;
    Answer answer{question.proto, &sockets};
    nl_socket_modify_cb(connection->get(), NL_CB_VALID, NL_CB_CUSTOM, take, &answer);
    int failed = nl_send_simple(connection->get(), SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request,
                                sizeof(request));
    if (failed >= 0) failed = nl_recvmsgs_default(connection->get());
    if (failed < 0) return netlink::netlink_error("listing sockets by netlink", failed);
  }
  return sockets;
}

}  // namespace fw::inventory
