/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Fragments: what the first one of a datagram says about the others, and those that came
 * before it.
 */
#pragma once

#include "maps/tuple.h"

/* Which datagram (RFC 791 section 3.2, RFC 8200 section 4.5). */
struct fw_datagram {
	struct fw_addr src;
	struct fw_addr dst;
	__be32 id;
	__u8 proto;  /* of the IPv4 header; 0 for IPv6, whose later fragments may not say it */
	__u8 family; /* enum fw_family */
	__u8 origin; /* enum fw_origin: no side speaks for another */
	__u8 pad;    /* zero: part of the hashed key */
};
FW_ASSERT_LAYOUT(struct fw_datagram, 40);

/* What the first fragment said. Gone once the last one has passed in order. */
struct fw_first {
	__u64 expires_ns; /* bpf/lib/clock.h */
	__be16 sport;	  /* as in its struct fw_tuple */
	__be16 dport;
	__u32 end;  /* bytes of the datagram's payload that have passed in order */
	__u8 proto; /* as in its struct fw_tuple */
	__u8 ping;
	__u8 pad[6];
};
FW_ASSERT_LAYOUT(struct fw_first, 24);

/* A later fragment that came before the first. Slots count from 0. */
struct fw_held_key {
	struct fw_datagram datagram;
	__u32 slot;
};
FW_ASSERT_LAYOUT(struct fw_held_key, 44);

#define FW_HELD_SLOTS 16u
#define FW_HELD_BYTES 2032u

struct fw_held {
	__u64 expires_ns;
	__u32 length;
	__u32 pad;
	__u8 frame[FW_HELD_BYTES];
};
FW_ASSERT_LAYOUT(struct fw_held, 2048);
