/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tuples and addresses: build, reverse, compare, and find their flow. */
#pragma once

#include "bpf/maps.bpf.h"

FW_INLINE void addr_from_ipv4(struct fw_addr *addr, __be32 ipv4)
{
	addr->w[0] = 0;
	addr->w[1] = 0;
	addr->w[2] = bpf_htonl(0xffff);
	addr->w[3] = ipv4;
}

FW_INLINE int addr_equal(const struct fw_addr *a, const struct fw_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

FW_INLINE int addr_is_zero(const struct fw_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

/* Whom limits know: an IPv6 source is its /64: whoever has one address of it has them all (RFC
 * 7934). */
FW_INLINE void source_of(struct fw_addr *source, const struct fw_tuple *original)
{
	*source = original->src;
	if (original->family == FW_IPV6) {
		source->w[2] = 0;
		source->w[3] = 0;
	}
}

/* Two words that follow each other in memory. */
FW_INLINE __u64 pair(__u32 first, __u32 second)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? first | (__u64)second << 32
							 : (__u64)first << 32 | second;
}

FW_INLINE __u32 both_ports(const struct fw_tuple *t)
{
	return *(const __u32 *)&t->sport;
}

/* Stored in words as wide as the hash table loads them: a load of 8 bytes that were stored
 * in pieces waits until they are in the cache.
 */
FW_INLINE struct fw_tuple4 to_tuple4(const struct fw_tuple *t)
{
	union {
		__u64 words[2];
		struct fw_tuple4 tuple;
	} key;
	__u32 proto = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? t->proto : (__u32)t->proto << 24;

	key.words[0] = pair(t->src.w[3], t->dst.w[3]);
	key.words[1] = pair(both_ports(t), proto);
	return key.tuple;
}

/* The tuple that an answer to `t` has. */
FW_INLINE void tuple_reverse(struct fw_tuple *out, const struct fw_tuple *t)
{
	out->src = t->dst;
	out->dst = t->src;
	out->sport = t->dport;
	out->dport = t->sport;
	out->proto = t->proto;
	out->family = t->family;
	out->pad[0] = 0;
	out->pad[1] = 0;
}

/* The key of the other direction's entry: the answer to what `flow` sends. */
FW_INLINE void partner_key(struct fw_tuple *out, const struct fw_flow *flow,
			   const struct fw_tuple *t)
{
	out->src = flow->dst;
	out->dst = flow->src;
	out->sport = flow->dport;
	out->dport = flow->sport;
	out->proto = t->proto;
	out->family = t->family;
	out->pad[0] = 0;
	out->pad[1] = 0;
}

enum fw_table {
	FW_ESTABLISHED,
	FW_HALF_OPEN,
};

FW_INLINE struct fw_flow *flow_find(enum fw_table table, const struct fw_tuple *t)
{
	if (t->family == FW_IPV4) {
		struct fw_tuple4 key = to_tuple4(t);

		return table == FW_HALF_OPEN ? bpf_map_lookup_elem(&fw_half4, &key)
					     : bpf_map_lookup_elem(&fw_flows4, &key);
	}
	return table == FW_HALF_OPEN ? bpf_map_lookup_elem(&fw_half6, t)
				     : bpf_map_lookup_elem(&fw_flows6, t);
}

/* Returns 0, or the negative errno of bpf_map_update_elem. */
FW_SHARED int fw_flow_insert(__u32 table, const struct fw_tuple *t, const struct fw_flow *flow,
			     __u64 flags)
{
	if (!t || !flow)
		return -1;
	if (t->family == FW_IPV4) {
		struct fw_tuple4 key = to_tuple4(t);

		if (table == FW_HALF_OPEN)
			return (int)bpf_map_update_elem(&fw_half4, &key, flow, flags);
		return (int)bpf_map_update_elem(&fw_flows4, &key, flow, flags);
	}
	if (table == FW_HALF_OPEN)
		return (int)bpf_map_update_elem(&fw_half6, t, flow, flags);
	return (int)bpf_map_update_elem(&fw_flows6, t, flow, flags);
}

FW_SHARED int fw_flow_delete(__u32 table, const struct fw_tuple *t)
{
	if (!t)
		return -1;
	if (t->family == FW_IPV4) {
		struct fw_tuple4 key = to_tuple4(t);

		if (table == FW_HALF_OPEN)
			return (int)bpf_map_delete_elem(&fw_half4, &key);
		return (int)bpf_map_delete_elem(&fw_flows4, &key);
	}
	if (table == FW_HALF_OPEN)
		return (int)bpf_map_delete_elem(&fw_half6, t);
	return (int)bpf_map_delete_elem(&fw_flows6, t);
}

/* Is there a live flow under this tuple in this table? It lives as long as either of its
 * directions does; a dead one is removed.
 */
FW_SHARED int fw_flow_alive(__u32 table, const struct fw_tuple *t, __u64 now_ns)
{
	struct fw_flow *flow, *partner;
	struct fw_tuple key;

	if (!t)
		return 0;
	flow = flow_find(table, t);
	if (!flow)
		return 0;
	if (flow->expires_ns > now_ns)
		return 1;
	partner_key(&key, flow, t);
	partner = flow_find(table, &key);
	if (partner && partner->expires_ns > now_ns)
		return 1;
	fw_flow_delete(table, &key);
	fw_flow_delete(table, t);
	return 0;
}
