// SPDX-License-Identifier: GPL-2.0-only
// Which zone is an address in, as far as the policy alone can say?
#pragma once

#include <map>
#include <set>
#include <string>

#include "loader/compile/prefix_map.h"
#include "loader/config/model.h"

namespace fw::lint {

// Holds the policy by reference: it must outlive it.
class Members {
 public:
  explicit Members(const config::Policy& policy);

  // Of a service's address: the zone that lists the service, else that of the longest subnet; null
  // when there is none.
  [[nodiscard]] const std::string* zone_of(const std::string& service,
                                           const Address& address) const;
  // All of the service's.
  [[nodiscard]] std::set<std::string> zones_of(const std::string& service) const;
  [[nodiscard]] bool has_services(const std::string& zone) const {
    return with_services_.contains(zone);
  }

 private:
  const config::Policy& policy_;
  std::map<std::string, std::string> listed_;  // service -> zone
  compile::PrefixMap<std::string> subnets_;    // -> zone
  std::set<std::string> with_services_;        // zones that a service is in
};

}  // namespace fw::lint
