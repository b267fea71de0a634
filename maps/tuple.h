/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who talks to whom: addresses and the tuple that names one direction of a flow. */
#pragma once

#include "maps/abi.h"

/* An IPv6 address, or an IPv4 address mapped into one (::ffff:a.b.c.d, RFC 4291
 * section 2.5.5.2). Network byte order. All zero means "no address".
 */
struct fw_addr {
	__be32 w[4];
};
FW_ASSERT_LAYOUT(struct fw_addr, 16);

/* The tuple as seen on the wire, and the key of the IPv6 flow tables. Ports are
 * in network byte order. ICMP echo: a request has the identifier as sport and 0
 * as dport, a reply the other way round, so a reply's tuple is the reverse of its
 * request's. Other protocols have no ports.
 */
struct fw_tuple {
	struct fw_addr src;
	struct fw_addr dst;
	__be16 sport;
	__be16 dport;
	/* IPPROTO_*; IPPROTO_ICMP is the echo of both families, IPPROTO_RAW any other ICMP */
	__u8 proto;
	__u8 family; /* enum fw_family */
	__u8 pad[2]; /* zero: part of the hashed key */
};
FW_ASSERT_LAYOUT(struct fw_tuple, 40);

/* The same for IPv4 alone, the key of the IPv4 flow tables: a 16-byte key costs
 * half the lookup of a 40-byte key (docs/decisions/0003).
 */
struct fw_tuple4 {
	__be32 src;
	__be32 dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3]; /* zero: part of the hashed key */
};
FW_ASSERT_LAYOUT(struct fw_tuple4, 16);

enum fw_family {
	FW_IPV4,
	FW_IPV6,
	FW_FAMILIES,
};
