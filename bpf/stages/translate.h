/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* translate: write the flow's addresses and ports into the packet.
 *
 * The first write of the pipeline; nothing after it can fail but the packet itself. The
 * TTL or hop limit goes down by one where the packet is routed. Checksums change by the
 * difference that the flow remembers (RFC 1624); an unfinished one is the business of
 * the kernel's helper (ctx_tc.h), and XDP does not get here with one.
 */
#pragma once

#include "bpf/lib/tuple.h"

#define ICMP_ID_OFFSET 4
#define TCP_CHECK_OFFSET 16
#define UDP_CHECK_OFFSET 6
#define ICMP_CHECK_OFFSET 2

FW_INLINE int rewrite_ipv4(fw_ctx *ctx, const struct fw_flow *flow, int routed)
{
	struct iphdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u32 change = 0;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return 0;
	if (flow->flags & FW_FLOW_REWRITE) {
		ip->saddr = flow->src.w[3];
		ip->daddr = flow->dst.w[3];
		change = flow->addr_csum;
	}
	if (routed) {
		/* TTL is the high byte of its 16-bit word. */
		change += csum_change16(bpf_htons(0x0100), 0);
		ip->ttl--;
	}
	ip->check = csum_apply(ip->check, change);
	return 1;
}

FW_INLINE int rewrite_ipv6(fw_ctx *ctx, const struct fw_flow *flow, int routed)
{
	struct ipv6hdr *ip = ctx_data(ctx) + ETH_HEADER;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return 0;
	if (flow->flags & FW_FLOW_REWRITE) {
		__builtin_memcpy(&ip->saddr, &flow->src, sizeof(ip->saddr));
		__builtin_memcpy(&ip->daddr, &flow->dst, sizeof(ip->daddr));
	}
	if (routed)
		ip->hop_limit--;
	return 1;
}

FW_INLINE int rewrite_ports(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_flow *flow)
{
	__u8 *l4 = ctx_data(ctx) + (pkt->l4_off & 0x1ff);
	__be16 *ports = (__be16 *)l4;

	if ((void *)(l4 + 8) > ctx_data_end(ctx))
		return 0;
	if (pkt->tuple.proto == IPPROTO_ICMP) {
		*(__be16 *)(l4 + ICMP_ID_OFFSET) = flow->sport | flow->dport; /* one is 0 */
		return 1;
	}
	ports[0] = flow->sport;
	ports[1] = flow->dport;
	return 1;
}

/* The checksums of TCP, UDP and ICMPv6 cover the addresses, that of ICMP does not. */
FW_INLINE int rewrite_transport(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_flow *flow,
				const enum fw_family family)
{
	__u8 proto = pkt->tuple.proto;

	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_ICMP)
		return 1;
	if (!rewrite_ports(ctx, pkt, flow))
		return 0;
	if (proto == IPPROTO_TCP)
		return ctx_update_csum(ctx, pkt->l4_off, TCP_CHECK_OFFSET, flow->addr_csum,
				       flow->port_csum, 0);
	if (proto == IPPROTO_UDP)
		return ctx_update_csum(ctx, pkt->l4_off, UDP_CHECK_OFFSET, flow->addr_csum,
				       flow->port_csum, 1);
	return ctx_update_csum(ctx, pkt->l4_off, ICMP_CHECK_OFFSET,
			       family == FW_IPV6 ? flow->addr_csum : 0, flow->port_csum, 0);
}

FW_INLINE enum fw_verdict translate(fw_ctx *ctx, struct fw_pkt *pkt, const enum fw_family family)
{
	const struct fw_flow *flow = pkt->flow;
	int routed = flow->action == FW_FORWARD && !(flow->flags & FW_FLOW_SWITCHED);
	int ok = 1;

	if (!routed && !(flow->flags & FW_FLOW_REWRITE))
		return FW_NEXT;
	ok = family == FW_IPV4 ? rewrite_ipv4(ctx, flow, routed) : rewrite_ipv6(ctx, flow, routed);
	/* Ports and their checksum are in the first fragment only. */
	if (ok && flow->flags & FW_FLOW_REWRITE && has_transport(pkt))
		ok = rewrite_transport(ctx, pkt, flow, family);
	return ok ? FW_NEXT : drop(pkt, FW_REASON_INTERNAL);
}
