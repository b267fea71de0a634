// SPDX-License-Identifier: GPL-2.0-only
// Which addresses stand for a peer? One for each identity that the peer covers, so that a question
// about all of its addresses can be answered by asking about a few.
#pragma once

#include <string>
#include <vector>

#include "loader/compile/image.h"
#include "loader/compile/prefix_map.h"
#include "loader/config/model.h"
#include "maps/flow.h"

namespace fw::compile {

// An address, and how a packet from it arrives.
struct End {
  Address address;
  fw_ident ident{};
  fw_origin origin = FW_FROM_WIRE;
  std::uint16_t interface_zone = FW_ZONE_INTERNET;
};

// Holds policy and image by reference: they must outlive it.
class Ends {
 public:
  Ends(const config::Policy& policy, const Image& image);
  Ends(const config::Policy&, Image&&) = delete;

  // As a flow's source. A zone with interfaces also covers strangers that arrive by them.
  [[nodiscard]] std::vector<End> sources(const config::Peer& peer) const;
  // As a flow's destination.
  [[nodiscard]] std::vector<End> destinations(const config::Peer& peer) const;

 private:
  // An address of `prefix` that no narrower entry of the image covers, if there is one.
  [[nodiscard]] std::optional<End> within(const Prefix& prefix) const;
  [[nodiscard]] End at(const Address& address) const;
  [[nodiscard]] std::vector<End> inside(const Prefix& prefix) const;
  [[nodiscard]] std::vector<End> in_zone(const std::string& name) const;

  const config::Policy& policy_;
  const Image& image_;
  std::vector<Prefix>
      prefixes_;  // of the image and of nobody: by family, then address, then length
  PrefixMap<fw_ident> identities_;
  std::vector<End> all_;
};

}  // namespace fw::compile
