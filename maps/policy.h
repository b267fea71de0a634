/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Policy: who may start a flow to whom.
 *
 * address --longest prefix--> identity        (fw_ident4, fw_ident6)
 * port    --array-----------> port class      (fw_ports)
 * (from selector, to selector, port class) --exact--> verdict   (fw_policy)
 *
 * A selector is an identity, a zone, or anything; a packet is tried at each level
 * that the policy uses. The cost of a decision does not grow with the rules.
 */
#pragma once

#include "maps/reason.h"
#include "maps/tuple.h"

/* Selectors share one number space. Identities count from 1. */
#define FW_SEL_ANY 0u
#define FW_SEL_ZONE 0x40000000u /* | zone number */
#define FW_SEL_DOOR 0x80000000u /* | door number, as "to" only */

/* Zones the language brings; the policy's own count from FW_ZONE_USER. */
enum fw_zone {
	FW_ZONE_NONE, /* nothing names it: unmanaged */
	FW_ZONE_HOST,
	FW_ZONE_INTERNET,
	FW_ZONE_USER,
};
#define FW_ZONES_MAX 64

/* Port classes: sets of ports that no rule tells apart. 0 stands for "every port
 * and protocol" in a key, and is the class of a port that no rule names.
 */
#define FW_PORTS_ANY 0u
#define FW_PORTS_PING 1u /* ICMP echo request */
#define FW_PORTS_USER 2u

struct fw_prefix4 {
	__u32 len; /* bits; host byte order (BPF_MAP_TYPE_LPM_TRIE) */
	__be32 addr;
};
FW_ASSERT_LAYOUT(struct fw_prefix4, 8);

struct fw_prefix6 {
	__u32 len;
	struct fw_addr addr;
};
FW_ASSERT_LAYOUT(struct fw_prefix6, 20);

enum fw_ident_flags {
	FW_IDENT_HOST = 1 << 0,	      /* one of this machine's own addresses */
	FW_IDENT_CONTAINER = 1 << 1,  /* behind a container interface */
	FW_IDENT_MASQUERADE = 1 << 2, /* SNAT when it leaves by an uplink */
	FW_IDENT_UNMANAGED = 1 << 3,  /* a container that neither a zone nor a service names */
};

struct fw_ident {
	__u32 id;      /* selector; FW_SEL_ANY: no identity of its own */
	__u32 ifindex; /* the only interface it may come from; 0: any */
	__u16 zone;
	__u8 flags; /* enum fw_ident_flags */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_ident, 12);

/* Element of fw_ports, indexed by the port in host byte order. */
struct fw_port_class {
	__u16 tcp;
	__u16 udp;
};
FW_ASSERT_LAYOUT(struct fw_port_class, 4);

struct fw_policy_key {
	__u32 from;
	__u32 to;
	__u32 ports;
};
FW_ASSERT_LAYOUT(struct fw_policy_key, 12);

enum fw_policy_verdict {
	FW_ALLOW = 1,
	FW_BLOCK,
	FW_ADMIT, /* host.admin: beats everything */
};

/* A packet is counted at account + from_zone * from_stride + to_zone * to_stride:
 * a rule between two zones has one account, a rule with a wildcard one for each
 * zone it may turn out to be.
 */
struct fw_policy_entry {
	__u32 account;
	__u16 from_stride;
	__u16 to_stride;
	__u16 limit;  /* element limit - 1 of fw_limits; 0: none */
	__u8 verdict; /* enum fw_policy_verdict */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_policy_entry, 12);

/* Levels: bit (from * 3 + to) * 2 + ports, where from and to are 0 identity, 1
 * zone, 2 any, and ports is 0 for the packet's class, 1 for FW_PORTS_ANY. A clear
 * bit means that no entry of that verdict has that shape, and saves its lookup.
 */
#define FW_LEVEL_SELECTORS 3
#define FW_LEVELS (FW_LEVEL_SELECTORS * FW_LEVEL_SELECTORS * 2)
#define FW_LEVEL_BIT(from, to, ports) (1u << (((from)*3 + (to)) * 2 + (ports)))
