// SPDX-License-Identifier: GPL-2.0-only
// What would the kernel say to the first packet of this flow? The reference for the programs in
// bpf/, which the tests compare with them, and the answer of `fwctl explain -f`. It knows the
// policy only: no routes, no flows.
//
// The order of judgement:
//
//  1. src and dst -> identity, by longest prefix. A source on a LAN interface whose prefix says
//     internet is in the interface's zone; a group (multicast, broadcast) is the host.
//  2. Not to a group: door = doors[dst, dport], or, to one of this machine's addresses,
//     doors[any, dport]. The machine's own processes go through a door before there is a packet
//     (bpf/stages/local.h); all that follows is the same for them.
//     MARTIAN: the source cannot come from where it came from, or the destination is loopback.
//  3. FW_ADMIT for (src, dst, dport): allowed. So host.admin stays open under every block, and
//     beside every door.
//  4. FW_BLOCK for (src, dst, dport), and with a door for (src, backend, backend's port): BLOCKED.
//  5. With a door: no entry for (src, door): NO_RULE. No backend: NO_ROUTE. Else allowed.
//  6. FW_ALLOW for (src, dst, dport): allowed; but not from an uplink to a container, as only a
//     door opens a container to the outside.
//  7. From the host itself, not to a container, with host.egress: allowed.
//  8. Denied. UNMANAGED if either end is a container that neither a zone nor a service names;
//     NOT_PUBLISHED from a wire to the host or a container; else NO_RULE.
//
// Each search tries from = identity, zone, any (outer loop), to = the same, ports = class, any, at
// the levels that the verdict uses; the first hit wins.
#pragma once

#include <optional>
#include <unordered_map>

#include "loader/base/net.h"
#include "loader/compile/identity_index.h"
#include "loader/compile/image.h"
#include "maps/flow.h"

namespace fw::compile {

// The first packet of a flow, as the hook sees it: before translation.
struct Probe {
  Address src;
  Address dst;
  std::uint8_t proto = 0;   // IPPROTO_*; ICMP and ICMPv6 mean an echo request
  std::uint16_t sport = 0;  // host byte order, like dport
  std::uint16_t dport = 0;
  fw_origin origin = FW_FROM_WIRE;
  // From a wire: the zone of the interface (fw_iface.zone), FW_ZONE_INTERNET for an uplink.
  std::uint16_t interface_zone = FW_ZONE_INTERNET;
  // Chooses the backend: slot hash % pool.size. Unset: as the kernel does, by the tuple.
  std::optional<std::uint32_t> hash;
  std::uint32_t ifindex = 0;  // of the interface that it comes in by; 0: one that it may come in by
};

struct Judgement {
  bool allowed = false;
  fw_reason reason = FW_REASON_NONE;
  std::uint32_t account = 0;  // where the packet is counted
  fw_ident from{};
  fw_ident to{};  // of the destination before translation
  std::optional<fw_door> door;
  std::optional<Address> backend;  // unset for a door of the host itself
  std::uint16_t limit = 0;  // fw_policy_entry.limit of what allows it; flows beyond: RATE_LIMITED
  bool admin = false;       // host.admin admits it
  std::optional<fw_policy_key> key;  // the entry that decided, if one did; the kernel does not say
  // The source after masquerading. The kernel's to say: it depends on the route.
  std::optional<Address> masqueraded_as;
};

// Holds its arguments by reference: they must outlive the judge.
class Judge {
 public:
  explicit Judge(const Image& image);
  // On this machine: a container's packets come from its own interface.
  Judge(const Image& image, const Placement& placement);
  explicit Judge(Image&&) = delete;
  [[nodiscard]] Judgement judge(const Probe& probe) const;

 private:
  struct Hit {
    fw_policy_key key;
    fw_policy_entry entry;
    std::uint16_t to_zone;  // of what was asked for: the destination or its backend
  };

  [[nodiscard]] fw_ident ident(const Probe& probe, const Address& address) const;
  [[nodiscard]] bool is_martian(const Probe& probe, const fw_ident& from) const;
  [[nodiscard]] std::optional<fw_door> door(const Probe& probe, const fw_ident& to) const;
  [[nodiscard]] std::uint32_t port_class(std::uint8_t proto, std::uint16_t port) const;
  [[nodiscard]] std::optional<Hit> search(std::uint8_t verdict, const fw_ident& from,
                                          const fw_ident& to, std::uint32_t ports) const;
  [[nodiscard]] std::optional<Hit> search_door(const fw_ident& from, const fw_door& door) const;
  [[nodiscard]] std::optional<Hit> hit(std::uint8_t verdict, const fw_policy_key& key) const;
  [[nodiscard]] std::optional<Hit> blocked(const Probe& probe, const Judgement& so_far) const;
  [[nodiscard]] Judgement through_door(Judgement judgement) const;
  [[nodiscard]] Judgement without_door(const Probe& probe, Judgement judgement) const;
  [[nodiscard]] static Judgement decided(Judgement judgement, const Hit& hit, fw_reason reason);
  [[nodiscard]] Judgement denied(Judgement judgement, fw_reason reason) const;

  const Image& image_;
  const Placement* placement_ = nullptr;
  IdentityIndex identities_;
};

}  // namespace fw::compile
