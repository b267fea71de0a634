/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The flow table: one entry per direction, so that a packet of a known flow costs
 * one lookup. The entry holds everything the packet needs: the rewrite, the next
 * hop, what to count, and until when it is true.
 */
#pragma once

#include "maps/tuple.h"

/* Where a flow stands; indexes fw_generation.timeout_ns. A half-open flow has
 * seen packets of one direction only and lives in the half-open table.
 */
enum fw_flow_state {
	FW_TCP_HALF,
	FW_TCP_ESTABLISHED,
	FW_TCP_CLOSING, /* one FIN seen: RFC 5382 transitory */
	FW_TCP_CLOSED,	/* both FINs or a RST seen */
	FW_UDP_HALF,
	FW_UDP_ESTABLISHED,
	FW_ICMP_HALF,
	FW_ICMP_ESTABLISHED,
	FW_OTHER_HALF,
	FW_OTHER_ESTABLISHED,
	FW_FLOW_STATES,
};

/* Which side of fwd a packet comes from; decided by the hook that sees it. A
 * packet that matches a flow but comes from another side is forged.
 */
enum fw_origin {
	FW_FROM_WIRE,
	FW_FROM_CONTAINER,
	FW_FROM_HOST,
};

enum fw_flow_action {
	FW_TO_STACK, /* this host is the destination (or, on egress, the source) */
	FW_FORWARD,  /* fwd itself sends it to fw_flow.hop */
};

enum fw_flow_flags {
	FW_FLOW_ORIGINAL = 1 << 0, /* the direction of the first packet */
	FW_FLOW_REWRITE = 1 << 1,  /* addresses or ports change */
	FW_FLOW_SWITCHED = 1 << 2, /* stays on its bridge: no TTL decrement */
	FW_FLOW_DOOR = 1 << 3,	   /* came through a published door */
	FW_FLOW_FIN = 1 << 4,	   /* this direction has sent its FIN */
	FW_FLOW_ADMIN = 1 << 5,	   /* admitted by host.admin */
};

/* A resolved next hop. ifindex 0: not resolved. */
struct fw_hop {
	__u32 ifindex;
	__u8 dmac[6];
	__u8 smac[6];
	__u16 mtu;  /* bytes at layer 3; 0: do not check */
	__u8 flags; /* enum fw_hop_flags */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_hop, 20);

enum fw_hop_flags {
	FW_HOP_PEER = 1 << 0,	 /* a container's veth: bpf_redirect_peer from TC */
	FW_HOP_XDP = 1 << 1,	 /* XDP may redirect into it */
	FW_HOP_RESOLVE = 1 << 2, /* no neighbour yet: bpf_redirect_neigh from TC */
	FW_HOP_BRIDGE = 1 << 3,	 /* location on the bridge unknown: let it forward */
};

/* Writers: any CPU that sees a packet of this direction, and its partner's on a
 * change of state. Each store is atomic on its own; a lost race ages the entry by
 * one packet or loses one count, and is accepted for speed.
 */
struct fw_flow {
	__u64 expires_ns; /* bpf/lib/clock.h; 0: being deleted */
	__u64 packets;
	__u64 bytes;	   /* whole frames, link header included */
	__u32 generation;  /* the policy that admitted it */
	__u32 topology;	   /* hop is valid while this equals fw_active.topology */
	__u32 hop_until_s; /* and until this second (2^30 ns) of the same clock */
	__u32 account;	   /* index into fw_accounts */
	__u32 in_ifindex;  /* the interface its packets come from; 0: any yet */
	struct fw_hop hop;
	__u32 addr_csum; /* what the address change adds to a checksum, folded to 16 bits */
	__u32 port_csum; /* what the port change adds */
	__be16 sport;	 /* after translation */
	__be16 dport;
	__u8 state;	    /* enum fw_flow_state */
	__u8 origin;	    /* enum fw_origin */
	__u8 action;	    /* enum fw_flow_action */
	__u8 flags;	    /* enum fw_flow_flags */
	struct fw_addr src; /* after translation */
	struct fw_addr dst;
};
/* Of both families: an IPv4 value of 88 bytes would come from the same 192-byte
 * slab as this one of 112 does with its 16-byte key.
 */
FW_ASSERT_LAYOUT(struct fw_flow, 112);
