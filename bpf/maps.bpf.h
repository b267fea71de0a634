/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Every map of the datapath. The objects of bpf/ are linked into one, so each map is
 * weak: declared in all of them, made once. What the keys and values mean is said in
 * maps/; sizes that depend on the machine are set by the daemon before loading.
 */
#pragma once

#include "bpf/lib/kernel.h"
#include "bpf/lib/scratch.h"
#include "maps/account.h"
#include "maps/active.h"
#include "maps/door.h"
#include "maps/fragment.h"
#include "maps/limit.h"
#include "maps/sizes.h"
#include "maps/topology.h"

struct fw_active_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_active);
};
struct fw_active_map fw_active SEC(".maps") __weak;

struct fw_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_scratch);
};
struct fw_scratch_map fw_scratch SEC(".maps") __weak;

/* Flows that both sides have spoken on. Memory grows with their number. */
struct fw_flows4_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FW_FLOWS_DEFAULT);
	__type(key, struct fw_tuple4);
	__type(value, struct fw_flow);
};
struct fw_flows4_map fw_flows4 SEC(".maps") __weak;

struct fw_flows6_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FW_FLOWS_DEFAULT);
	__type(key, struct fw_tuple);
	__type(value, struct fw_flow);
};
struct fw_flows6_map fw_flows6 SEC(".maps") __weak;

/* Flows that one side has spoken on: a flood of them pushes out only its own kind. */
struct fw_half4_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_HALF_DEFAULT);
	__type(key, struct fw_tuple4);
	__type(value, struct fw_flow);
};
struct fw_half4_map fw_half4 SEC(".maps") __weak;

struct fw_half6_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_HALF_DEFAULT);
	__type(key, struct fw_tuple);
	__type(value, struct fw_flow);
};
struct fw_half6_map fw_half6 SEC(".maps") __weak;

/* What sources have used of their limits. One that is pushed out starts anew. */
struct fw_buckets_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_HALF_DEFAULT);
	__type(key, struct fw_bucket_key);
	__type(value, struct fw_bucket);
};
struct fw_buckets_map fw_buckets SEC(".maps") __weak;

struct fw_sources_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_HALF_DEFAULT);
	__type(key, struct fw_addr);
	__type(value, struct fw_source);
};
struct fw_sources_map fw_sources SEC(".maps") __weak;

/* Datagrams whose first fragment was seen, and fragments that came before theirs. */
struct fw_firsts_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_FIRSTS_MAX);
	__type(key, struct fw_datagram);
	__type(value, struct fw_first);
};
struct fw_firsts_map fw_firsts SEC(".maps") __weak;

struct fw_held_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FW_HELD_MAX);
	__type(key, struct fw_held_key);
	__type(value, struct fw_held);
};
struct fw_held_map fw_held SEC(".maps") __weak;

/* The machine's network, followed by the daemon. */
struct fw_ifaces_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FW_IFACES_MAX);
	__type(key, __u32);
	__type(value, struct fw_iface);
};
struct fw_ifaces_map fw_ifaces SEC(".maps") __weak;

struct fw_vlans_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FW_VLANS_MAX);
	__type(key, struct fw_vlan);
	__type(value, __u32);
};
struct fw_vlans_map fw_vlans SEC(".maps") __weak;

struct fw_endpoints_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FW_ENDPOINTS_MAX);
	__type(key, struct fw_addr);
	__type(value, struct fw_endpoint);
};
struct fw_endpoints_map fw_endpoints SEC(".maps") __weak;

/* One generation of policy is the set of inner maps at one slot. Inner maps give sizes
 * instead of types: the linker of libbpf 1.1 cannot compare typed ones.
 */
struct fw_ident4_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_prefix4));
	__uint(value_size, sizeof(struct fw_ident));
};
struct fw_ident4_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_ident4_inner);
};
struct fw_ident4_map fw_ident4 SEC(".maps") __weak;

struct fw_ident6_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_prefix6));
	__uint(value_size, sizeof(struct fw_ident));
};
struct fw_ident6_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_ident6_inner);
};
struct fw_ident6_map fw_ident6 SEC(".maps") __weak;

struct fw_ports_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_port_class));
};
struct fw_ports_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_ports_inner);
};
struct fw_ports_map fw_ports SEC(".maps") __weak;

struct fw_policy_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_policy_key));
	__uint(value_size, sizeof(struct fw_policy_entry));
};
struct fw_policy_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_policy_inner);
};
struct fw_policy_map fw_policy SEC(".maps") __weak;

struct fw_doors_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_door_key));
	__uint(value_size, sizeof(struct fw_door));
};
struct fw_doors_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_doors_inner);
};
struct fw_doors_map fw_doors SEC(".maps") __weak;

struct fw_maglev_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_backend));
};
struct fw_maglev_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_maglev_inner);
};
struct fw_maglev_map fw_maglev SEC(".maps") __weak;

struct fw_members_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct fw_member_key));
	__uint(value_size, sizeof(__u8));
};
struct fw_members_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_members_inner);
};
struct fw_members_map fw_members SEC(".maps") __weak;

struct fw_limits_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_limit));
};
struct fw_limits_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_SLOTS);
	__type(key, __u32);
	__array(values, struct fw_limits_inner);
};
struct fw_limits_map fw_limits SEC(".maps") __weak;

/* What the host's own sockets have been told about their peers; goes with the socket. */
struct fw_own_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fw_own_socket);
};
struct fw_own_map fw_own SEC(".maps") __weak;

struct fw_accounts_inner {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FW_ACCOUNTS_PER_CHUNK);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fw_account));
};
struct fw_accounts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, FW_ACCOUNT_CHUNKS);
	__type(key, __u32);
	__array(values, struct fw_accounts_inner);
};
struct fw_accounts_map fw_accounts SEC(".maps") __weak;
