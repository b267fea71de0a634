/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* route: by which interface, to which neighbour?
 *
 * A container's address is looked up in the daemon's table of endpoints, everything else
 * in the kernel's own routing and neighbour tables, so fwd follows every route that the
 * administrator or a routing daemon sets.
 */
#pragma once

#include "bpf/lib/tuple.h"

/* The kernel tells the daemon of every change, and the daemon raises the topology number;
 * should it be dead, a next hop is still looked up anew this often.
 */
#define HOP_LIFETIME_S 10

FW_INLINE int hop_from_endpoint(struct fw_hop *hop, const struct fw_addr *dst)
{
	const struct fw_endpoint *endpoint = bpf_map_lookup_elem(&fw_endpoints, dst);

	if (!endpoint)
		return 0;
	hop->ifindex = endpoint->ifindex;
	__builtin_memcpy(hop->dmac, endpoint->mac, sizeof(hop->dmac));
	__builtin_memcpy(hop->smac, endpoint->gw_mac, sizeof(hop->smac));
	hop->mtu = endpoint->mtu;
	hop->flags = FW_HOP_PEER | (endpoint->flags & FW_IFACE_XDP ? FW_HOP_XDP : 0);
	return 1;
}

/* On the same bridge: straight into the other port, or by the bridge where the daemon has
 * not seen yet which port that is.
 */
FW_INLINE void hop_on_bridge(struct fw_hop *hop, const struct fw_addr *dst)
{
	__builtin_memset(hop, 0, sizeof(*hop));
	if (!hop_from_endpoint(hop, dst))
		hop->flags = FW_HOP_BRIDGE;
}

/* Fills `hop` for a packet of tuple `t` (as it leaves) that came in by `in_ifindex`.
 * Returns 0 where there is no route.
 */
FW_OUTLINE int route(fw_ctx *ctx, struct fw_scratch *s, struct fw_hop *hop,
		     const struct fw_tuple *t, __u32 in_ifindex)
{
	const struct fw_iface *out;
	long rc;

	__builtin_memset(hop, 0, sizeof(*hop));
	if (hop_from_endpoint(hop, &t->dst))
		return 1;

	__builtin_memset(&s->fib, 0, sizeof(s->fib));
	s->fib.ifindex = in_ifindex;
	s->fib.l4_protocol = t->proto;
	s->fib.sport = t->sport;
	s->fib.dport = t->dport;
	if (t->family == FW_IPV4) {
		s->fib.family = AF_INET;
		s->fib.ipv4_src = t->src.w[3];
		s->fib.ipv4_dst = t->dst.w[3];
	} else {
		s->fib.family = AF_INET6;
		__builtin_memcpy(s->fib.ipv6_src, &t->src, sizeof(s->fib.ipv6_src));
		__builtin_memcpy(s->fib.ipv6_dst, &t->dst, sizeof(s->fib.ipv6_dst));
	}
	rc = bpf_fib_lookup(ctx, &s->fib, sizeof(s->fib), 0);
	/* At TC the helper compares the packet with the link's MTU, after it has found the way;
	 * `ready` does so too, and answers.
	 */
	if (rc != BPF_FIB_LKUP_RET_SUCCESS && rc != BPF_FIB_LKUP_RET_NO_NEIGH &&
	    rc != BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return 0;
	hop->ifindex = s->fib.ifindex;
	__builtin_memcpy(hop->dmac, s->fib.dmac, sizeof(hop->dmac));
	__builtin_memcpy(hop->smac, s->fib.smac, sizeof(hop->smac));
	hop->flags = rc == BPF_FIB_LKUP_RET_NO_NEIGH ? FW_HOP_RESOLVE : 0;
	out = bpf_map_lookup_elem(&fw_ifaces, &hop->ifindex);
	if (out) {
		hop->mtu = out->mtu;
		if (out->flags & FW_IFACE_XDP && !hop->flags)
			hop->flags |= FW_HOP_XDP;
	}
	return 1;
}

FW_INLINE __u32 seconds(__u64 ns)
{
	return (__u32)(ns >> 30); /* 1.07 s: near enough, and no division */
}

/* Stores a next hop in the flow. The fields are not one store: another CPU may see half
 * of the old one, and sends one packet to a neighbour that was right a moment ago.
 */
FW_INLINE void remember_hop(const struct fw_pkt *pkt, struct fw_flow *flow,
			    const struct fw_hop *hop)
{
	flow->hop = *hop;
	flow->hop_until_s = seconds(pkt->now_ns) + HOP_LIFETIME_S;
	/* One that waits for its neighbour is asked for again at the next packet. */
	WRITE_ONCE(flow->topology,
		   hop->flags & FW_HOP_RESOLVE ? 0 : READ_ONCE(pkt->active->topology));
}

FW_INLINE int hop_is_stale(const struct fw_pkt *pkt, const struct fw_flow *flow)
{
	return flow->topology != READ_ONCE(pkt->active->topology) ||
	       flow->hop_until_s < seconds(pkt->now_ns);
}

/* Looks up the next hop of a flow that exists. */
FW_OUTLINE int reroute(fw_ctx *ctx, struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	struct fw_flow *flow = pkt->flow;

	if (!s || !flow)
		return 0;
	s->translated.src = flow->src;
	s->translated.dst = flow->dst;
	if (flow->flags & FW_FLOW_SWITCHED) {
		hop_on_bridge(&s->hop, &s->translated.dst);
		remember_hop(pkt, flow, &s->hop);
		return 1;
	}
	s->translated.sport = flow->sport;
	s->translated.dport = flow->dport;
	s->translated.proto = pkt->tuple.proto;
	s->translated.family = pkt->tuple.family;
	if (!route(ctx, s, &s->hop, &s->translated, pkt->ifindex))
		return 0;
	remember_hop(pkt, flow, &s->hop);
	return 1;
}
