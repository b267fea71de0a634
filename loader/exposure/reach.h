// SPDX-License-Identifier: GPL-2.0-only
// Who can get to a door under a policy that is enforced on this machine?
#pragma once

#include <set>
#include <string>
#include <vector>

#include "loader/explain/verdict.h"
#include "loader/exposure/door.h"

namespace fw::exposure {

struct Reached {
  std::vector<std::string> from;       // zones, or those in a zone that alone may
  std::vector<std::string> unguarded;  // interfaces by which anybody may, for fwd is not there
  std::string denied;                  // where nobody may: the name of the reason
};

class Reach {
 public:
  // `unattached`: interfaces that the policy concerns, but that have no program.
  Reach(const explain::World& world, std::set<std::string> unattached);

  [[nodiscard]] Reached ask(const Door& door) const;
  [[nodiscard]] bool guards(const Interface& interface) const;

 private:
  void ask_zone(const std::string& zone, const Door& door, Reached& reached) const;
  [[nodiscard]] std::vector<explain::Member> places(const Door& door) const;
  [[nodiscard]] bool may(const explain::Member& from, const std::vector<explain::Member>& places,
                         const Door& door, std::string& reason) const;
  [[nodiscard]] bool has_somebody(const Interface& interface) const;

  explain::World world_;
  explain::Atlas atlas_;
  explain::Jury jury_;
  std::set<std::string> unattached_;
};

}  // namespace fw::exposure
