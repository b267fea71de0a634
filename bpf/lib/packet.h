/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* struct fw_pkt: all that the stages know about one packet. Grouped by the stage that
 * fills it; a stage writes its own group and reads the groups above.
 */
#pragma once

#include "bpf/lib/kernel.h"
#include "maps/active.h"
#include "maps/flow.h"
#include "maps/reason.h"

#define ETH_HEADER 14u

/* linux/if_ether.h packs struct ethhdr, which makes every access one of single bytes; a
 * frame starts at an even address.
 */
struct fw_eth {
	__u16 dst[3];
	__u16 src[3];
	__be16 type;
};

/* What a stage says. FW_NEXT is 0, so `?:` runs the next stage until one decides. */
enum fw_verdict {
	FW_NEXT,
	FW_PASS, /* to the stack, judged and counted */
	FW_UP,	 /* to the stack untouched and uncounted: not IP, or TC finishes it */
	FW_SEND, /* forwarded: pkt->action is the hook's return code */
	FW_DROP, /* pkt->reason says why */
	FW_HELD, /* a fragment that waits for its first: it will come again, and be judged then */
};

enum fw_pkt_flags {
	FW_PKT_FRAGMENT = 1 << 0,   /* any fragment, the first one included */
	FW_PKT_ICMP_ERROR = 1 << 1, /* about a packet that it quotes */
	FW_PKT_NEIGHBOUR = 1 << 2,  /* ARP's and MLD's work in IPv6; never leaves its link */
	FW_PKT_PING = 1 << 3,	    /* an ICMP echo request */
	FW_PKT_HALF = 1 << 4,	    /* flow is in the half-open table */
	FW_PKT_GROUP = 1 << 5,	    /* sent to a broadcast or multicast MAC address */
	FW_PKT_STRAY = 1 << 6,	    /* matches a flow, but comes from its other side */
	FW_PKT_TRANSIT = 1 << 7,    /* leaves the host, but did not start here */
};

/* As fw_pkt.l4_off. Not 0: the verifier knows a 0 on the stack from everything else, and
 * would walk all that follows once more.
 */
#define FW_NO_TRANSPORT 1

struct fw_pkt {
	/* entry: which hook */
	__u32 ifindex; /* of the interface the hook is on */
	__u8 origin;   /* enum fw_origin */
	__u8 family;   /* enum fw_family */

	/* parse; tcp_flags is not at a multiple of 8, where the verifier would follow its values
	 * to the end of the pipeline (a quarter more to walk)
	 */
	__u8 flags; /* enum fw_pkt_flags */
	__u8 ttl;
	__u8 icmp_type;
	__u8 tcp_flags; /* byte 13 of the TCP header; 0 for other protocols */
	__u16 l4_off;	/* bytes from the start of the frame; FW_NO_TRANSPORT in a later fragment */
	__u32 l3_len;	/* bytes that the IP header announces */
	__u32 frame_len;
	__u32 account; /* what to count it at: its flow's, or its own where it has no flow */
	struct fw_tuple tuple __attribute__((aligned(8)));

	/* track */
	__u64 now_ns;
	const struct fw_active *active;
	struct fw_flow *flow; /* NULL: none yet */
	__u64 current;	      /* fw_active.current, read once */

	/* the end */
	__s32 action; /* of FW_SEND */
	__u32 reason; /* enum fw_reason, of FW_DROP */
	__u32 zones;  /* of FW_DROP: from_zone << 16 | to_zone */
};

#define FW_TCP_FIN 0x01
#define FW_TCP_SYN 0x02
#define FW_TCP_RST 0x04
#define FW_TCP_ACK 0x10

FW_INLINE __u32 slot_of(const struct fw_pkt *pkt)
{
	return pkt->current & 1;
}

FW_INLINE __u32 generation_of(const struct fw_pkt *pkt)
{
	return (__u32)(pkt->current >> 1);
}

FW_INLINE const struct fw_generation *parameters_of(const struct fw_pkt *pkt)
{
	return &pkt->active->generation[pkt->current & 1];
}

FW_INLINE int has_transport(const struct fw_pkt *pkt)
{
	return pkt->l4_off != FW_NO_TRANSPORT;
}

FW_INLINE enum fw_verdict drop(struct fw_pkt *pkt, enum fw_reason reason)
{
	pkt->reason = reason;
	return FW_DROP;
}
