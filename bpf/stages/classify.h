/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* classify: who are the two ends?
 *
 * Fills the classify group of struct fw_scratch from the original tuple: the identity of
 * each end, and the door if there is one.
 */
#pragma once

#include "bpf/lib/tuple.h"
#include "maps/hash.h"

/* The identity of an address by its longest prefix; all zero where no prefix holds it. */
FW_SHARED int fw_identify(__u32 slot, __u32 family, const struct fw_addr *addr,
			  struct fw_ident *out)
{
	struct fw_ident *found = 0;
	void *trie;

	if (!addr || !out)
		return 0;
	__builtin_memset(out, 0, sizeof(*out));
	if (family == FW_IPV4) {
		struct fw_prefix4 key = {.len = 32, .addr = addr->w[3]};

		trie = bpf_map_lookup_elem(&fw_ident4, &slot);
		if (trie)
			found = bpf_map_lookup_elem(trie, &key);
	} else {
		struct fw_prefix6 key = {.len = 128, .addr = *addr};

		trie = bpf_map_lookup_elem(&fw_ident6, &slot);
		if (trie)
			found = bpf_map_lookup_elem(trie, &key);
	}
	if (!found)
		return 0;
	*out = *found;
	return 1;
}

FW_INLINE void identify(const struct fw_pkt *pkt, struct fw_scratch *s, const struct fw_addr *addr,
			struct fw_ident *out)
{
	fw_identify(slot_of(pkt), s->original.family, addr, out);
}

FW_INLINE int is_group_address(const struct fw_scratch *s, const struct fw_addr *addr)
{
	if (s->original.family == FW_IPV4)
		return (bpf_ntohl(addr->w[3]) >> 28) == 0xe || addr->w[3] == 0xffffffff;
	return (bpf_ntohl(addr->w[0]) >> 24) == 0xff;
}

/* Addresses that no packet on a link may come from: loopback, this-network, groups. */
FW_INLINE int is_never_a_source(const struct fw_scratch *s, const struct fw_addr *addr)
{
	__u32 first;

	if (s->original.family == FW_IPV6)
		return (bpf_ntohl(addr->w[0]) >> 24) == 0xff ||
		       (!(addr->w[0] | addr->w[1] | addr->w[2]) && bpf_ntohl(addr->w[3]) <= 1) ||
		       (!(addr->w[0] | addr->w[1]) && addr->w[2] == bpf_htonl(0xffff));
	first = bpf_ntohl(addr->w[3]) >> 24;
	return first == 127 || first == 0 || first >= 224;
}

FW_INLINE int is_loopback(const struct fw_scratch *s, const struct fw_addr *addr)
{
	if (s->original.family == FW_IPV6)
		return !(addr->w[0] | addr->w[1] | addr->w[2]) && bpf_ntohl(addr->w[3]) == 1;
	return bpf_ntohl(addr->w[3]) >> 24 == 127;
}

/* Can a packet with this source come from where it came from? */
FW_INLINE int is_martian(struct fw_scratch *s)
{
	const struct fw_endpoint *endpoint;

	if (s->origin == FW_FROM_HOST)
		return 0;
	if (is_never_a_source(s, &s->original.src) || is_loopback(s, &s->original.dst))
		return 1;
	if (s->src.flags & FW_IDENT_HOST)
		return 1;
	if (s->origin == FW_FROM_WIRE)
		return s->src.flags & FW_IDENT_CONTAINER ||
		       (s->src.ifindex && s->src.ifindex != s->in_ifindex);
	if (!(s->src.flags & FW_IDENT_CONTAINER))
		return 1;
	endpoint = bpf_map_lookup_elem(&fw_endpoints, &s->original.src);
	return endpoint && endpoint->ifindex != s->in_ifindex;
}

FW_INLINE void find_door(const struct fw_pkt *pkt, struct fw_scratch *s)
{
	__u32 slot = slot_of(pkt);
	struct fw_door *door = 0;
	void *doors;

	s->door.selector = 0;
	if (s->origin != FW_FROM_WIRE || s->group)
		return;
	if (s->original.proto != IPPROTO_TCP && s->original.proto != IPPROTO_UDP)
		return;
	doors = bpf_map_lookup_elem(&fw_doors, &slot);
	if (!doors)
		return;
	s->key.door.addr = s->original.dst;
	s->key.door.port = s->original.dport;
	s->key.door.proto = s->original.proto;
	s->key.door.family = s->original.family;
	door = bpf_map_lookup_elem(doors, &s->key.door);
	if (!door && s->dst.flags & FW_IDENT_HOST) {
		__builtin_memset(&s->key.door.addr, 0, sizeof(s->key.door.addr));
		door = bpf_map_lookup_elem(doors, &s->key.door);
	}
	if (door)
		s->door = *door;
}

FW_SHARED __u32 fw_tuple_hash(const struct fw_tuple *t)
{
	return t ? fw_hash(t) : 0;
}

/* Chooses the backend of s->door: s->translated.dst. Returns 0 when there is none. */
FW_INLINE int choose_backend(const struct fw_pkt *pkt, struct fw_scratch *s)
{
	__u32 slot = slot_of(pkt), index;
	struct fw_backend *backend;
	void *table;

	if (s->door.flags & FW_DOOR_LOCAL) {
		s->translated.dst = s->original.dst;
		return 1;
	}
	if (!s->door.pool.size)
		return 0;
	table = bpf_map_lookup_elem(&fw_maglev, &slot);
	if (!table)
		return 0;
	index = s->door.pool.first;
	if (s->door.pool.size > 1)
		index += fw_tuple_hash(&s->original) % s->door.pool.size;
	backend = bpf_map_lookup_elem(table, &index);
	if (!backend)
		return 0;
	s->translated.dst = backend->addr;
	return 1;
}

FW_INLINE void classify(struct fw_pkt *pkt, struct fw_scratch *s)
{
	identify(pkt, s, &s->original.src, &s->src);
	s->group = (__u8)is_group_address(s, &s->original.dst);
	identify(pkt, s, &s->original.dst, &s->dst);
	if (s->group) {
		__builtin_memset(&s->dst, 0, sizeof(s->dst));
		s->dst.zone = FW_ZONE_HOST;
		s->dst.flags = FW_IDENT_HOST;
	}
	if (s->iface.role == FW_ROLE_LAN && s->origin == FW_FROM_WIRE &&
	    s->src.zone == FW_ZONE_INTERNET) {
		s->src.zone = s->iface.zone;
		if (s->iface.flags & FW_IFACE_MASQUERADE)
			s->src.flags |= FW_IDENT_MASQUERADE;
	}
	s->src.zone &= FW_ZONES_MAX - 1;
	s->dst.zone &= FW_ZONES_MAX - 1;
	pkt->zones = (__u32)s->src.zone << 16 | s->dst.zone;
	s->backend = s->dst;
	find_door(pkt, s);
}
