// SPDX-License-Identifier: GPL-2.0-only
// The policy that the tests of explain and diff ask about.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "loader/explain/explain.h"

namespace fw::explain::test {

// Line 1 of the file is "version: 1".
inline const std::string kShop = R"(version: 1
name: shop
host:
  uplinks: [eth0]
  admin: [lan -> host:22]
zones:
  lan:    {subnets: [192.168.1.0/24, "fd00:1::/64"]}
  dmz:    {subnets: [172.20.1.0/24, "fd00:2::/64"]}
  data:   {services: [db, redis]}
  peers:  {services: [ring], intra: allow}
  office: {interfaces: [eth1], masquerade: true}
services:
  proxy:   {addresses: [172.20.1.10, "fd00:2::10"], ports: {http: 80, https: 443}}
  backend: {addresses: [172.20.1.20], ports: {http: 8000}}
  db:      {addresses: [172.20.3.5], ports: {postgres: 5432}}
  redis:   {addresses: [172.20.3.6], ports: {redis: 6379}}
  ring:    {addresses: [172.20.4.1, 172.20.4.2]}
  dns:     {host: true, ports: {dns: 53/tcp+udp}}
publish:
  http:  {router: 80, host: 8080, to: proxy:http, from: [internet, lan]}
  app:   {host: 8000, to: backend:http, from: lan}
  names: {host: 5353, to: dns:dns, from: lan}
allow:
  - proxy -> backend:http
  - backend -> db:postgres
  - office -> internet
  - lan -> host:ping
block:
  - 203.0.113.0/24 -> *
)";

inline config::Policy must_parse(const std::string& text) {
  const auto parsed = config::parse({"shop.yaml", text});
  for (const auto& diagnostic : parsed.diagnostics)
    ADD_FAILURE() << config::to_string(diagnostic) << text;
  return parsed.policy ? *parsed.policy : config::Policy{};
}

inline Compiled must_assume(const config::Policy& policy) {
  auto compiled = Compiled::of(policy);
  EXPECT_TRUE(compiled) << (compiled ? "" : compiled.error().message);
  return *std::move(compiled);
}

}  // namespace fw::explain::test
