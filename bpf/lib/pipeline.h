/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The life of an IP packet, the same at every hook. Read this file to know what happens
 * to it; read bpf/stages/ to know how. ctx_xdp.h or ctx_tc.h is included before it.
 */
#pragma once

#include "bpf/stages/parse.h"
#include "bpf/stages/fragment.h"
#include "bpf/stages/track.h"
#include "bpf/stages/admit.h"
#include "bpf/stages/translate.h"
#include "bpf/stages/clamp.h"
#include "bpf/stages/forward.h"
#include "bpf/stages/account.h"

/* An ICMP error belongs to the flow of the packet that it quotes. The entry file says what
 * its hook does about it.
 */
FW_INLINE enum fw_verdict about_error(fw_ctx *ctx, struct fw_pkt *pkt);

/* Neighbour discovery is for the stack, unless a container says what is not true. Likewise. */
FW_INLINE enum fw_verdict about_neighbour(fw_ctx *ctx, struct fw_pkt *pkt);

/* A first fragment that others may wait for, and one whose first has not come. Likewise. */
FW_INLINE enum fw_verdict about_first(fw_ctx *ctx, struct fw_pkt *pkt);
FW_INLINE enum fw_verdict about_early(fw_ctx *ctx, struct fw_pkt *pkt);

FW_OUTLINE int join_datagram(fw_ctx *ctx, struct fw_pkt *pkt)
{
	enum fw_verdict verdict;

	if (has_transport(pkt)) {
		remember_first(pkt);
		return (int)about_first(ctx, pkt);
	}
	verdict = follow_first(pkt);
	return (int)(verdict == FW_HELD ? about_early(ctx, pkt) : verdict);
}

/* The checks that every packet needs and no flow remembers. */
FW_INLINE enum fw_verdict guard(fw_ctx *ctx, struct fw_pkt *pkt)
{
	enum fw_verdict verdict =
		pkt->flags & FW_PKT_FRAGMENT ? (enum fw_verdict)join_datagram(ctx, pkt) : FW_NEXT;

	if (verdict)
		return verdict;
	/* Neighbour discovery is for this link (RFC 4861 section 6.1: hop limit 255; MLD: 1). */
	if (!(pkt->flags & FW_PKT_NEIGHBOUR))
		return FW_NEXT;
	if (pkt->ttl != 255 && pkt->ttl != 1)
		return drop(pkt, FW_REASON_MARTIAN);
	return about_neighbour(ctx, pkt);
}

/* Can this hook finish the packet? The last stop before the first write. */
FW_INLINE enum fw_verdict ready(fw_ctx *ctx, struct fw_pkt *pkt, const enum fw_family family)
{
	struct fw_flow *flow = pkt->flow;

	if (!flow)
		return drop(pkt, FW_REASON_INTERNAL);
	if (flow->action == FW_TO_STACK)
		return CTX_IS_XDP ? FW_UP : FW_NEXT;
	if (hop_is_stale(pkt, flow) && !reroute(ctx, pkt))
		return drop(pkt, FW_REASON_NO_ROUTE);
	if (CTX_IS_XDP)
		return !(flow->hop.flags & FW_HOP_XDP) || pkt->ttl <= 1 ||
				       pkt->l3_len > flow->hop.mtu ||
				       ctx_is_unfinished(ctx, pkt, family)
			       ? FW_UP
			       : FW_NEXT;
	if (pkt->ttl <= 1 && !(flow->flags & FW_FLOW_SWITCHED))
		return drop(pkt, FW_REASON_TTL_EXPIRED);
	if (flow->hop.mtu && pkt->l3_len > flow->hop.mtu &&
	    (!ctx_is_gso(ctx) || !ctx_segments_fit(ctx, flow->hop.ifindex)))
		return drop(pkt, FW_REASON_MTU_EXCEEDED);
	return FW_NEXT;
}

FW_INLINE enum fw_verdict count(fw_ctx *ctx, struct fw_pkt *pkt)
{
	touch(ctx, pkt);
	if (!has_transport(pkt))
		fw_datagram_goes_on(&pkt->tuple, pkt->origin);
	return FW_NEXT;
}

FW_INLINE enum fw_verdict judge(struct fw_pkt *pkt, fw_ctx *ctx)
{
	return needs_admission(pkt) ? (enum fw_verdict)admit(ctx, pkt) : FW_NEXT;
}

/* clang-format off: one stage a line */
FW_INLINE enum fw_verdict live(fw_ctx *ctx, struct fw_pkt *pkt, const enum fw_family family)
{
	if (pkt->flags & FW_PKT_ICMP_ERROR)
		return about_error(ctx, pkt);
	return guard(ctx, pkt)
	    ?: track(pkt, family)
	    ?: judge(pkt, ctx)
	    ?: ready(ctx, pkt, family)
	    ?: count(ctx, pkt)
	    ?: translate(ctx, pkt, family)
	    ?: clamp(ctx, pkt, family)
	    ?: forward(ctx, pkt);
}
/* clang-format on */

FW_INLINE enum fw_verdict live_ipv4(fw_ctx *ctx, struct fw_pkt *pkt)
{
	pkt->family = FW_IPV4;
	pkt->tuple.family = FW_IPV4;
	return parse_ipv4(ctx, pkt) ?: live(ctx, pkt, FW_IPV4);
}

FW_INLINE enum fw_verdict live_ipv6(fw_ctx *ctx, struct fw_pkt *pkt)
{
	pkt->family = FW_IPV6;
	pkt->tuple.family = FW_IPV6;
	return parse_ipv6(ctx, pkt) ?: live(ctx, pkt, FW_IPV6);
}
