/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* TC: what XDP let up, what containers send, and what this host sends.
 *
 *            wire                container
 *   fw_wire_in   fw_out    fw_ctr_in   fw_out
 *
 * Direction as the host sees it: in is TC ingress, out is TC egress. A container's hooks
 * sit on the host side of its veth.
 */
#include "bpf/lib/ctx_tc.h"
#include "bpf/lib/pipeline.h"
#include "bpf/stages/answer.h"
#include "bpf/stages/hold.h"
#include "bpf/stages/reset.h"
#include "bpf/stages/undo.h"
#include "bpf/stages/neighbour.h"
#include "bpf/stages/relate.h"

FW_INLINE enum fw_verdict about_error(fw_ctx *ctx, struct fw_pkt *pkt)
{
	return (enum fw_verdict)relate_error(ctx, pkt) ?: forward(ctx, pkt);
}

FW_INLINE enum fw_verdict about_neighbour(fw_ctx *ctx, struct fw_pkt *pkt)
{
	if (pkt->origin != FW_FROM_CONTAINER)
		return FW_UP;
	return (enum fw_verdict)discovery_from_container(ctx, pkt);
}

FW_INLINE enum fw_verdict about_first(fw_ctx *ctx, struct fw_pkt *pkt)
{
	return (enum fw_verdict)release(ctx, pkt);
}

FW_INLINE enum fw_verdict about_early(fw_ctx *ctx, struct fw_pkt *pkt)
{
	return (enum fw_verdict)hold(ctx, pkt);
}

/* A packet that cannot go on gets the ICMP error that a router sends; one that the policy
 * denies, what `deny` says.
 */
FW_INLINE int finish_drop(fw_ctx *ctx, struct fw_pkt *pkt)
{
	int action = TC_DROP;

	if (pkt->flow)
		find_zones(pkt);
	count_denied(ctx, pkt);
	if (pkt->reason == FW_REASON_TTL_EXPIRED || pkt->reason == FW_REASON_MTU_EXCEEDED) {
		action = answer(ctx, pkt);
		if (pkt->flags & FW_PKT_HALF)
			forget_unused(pkt);
	} else if (is_answered(pkt)) {
		action = refuse(ctx, pkt);
	}
	return action;
}

FW_INLINE int finish(fw_ctx *ctx, struct fw_pkt *pkt, enum fw_verdict verdict)
{
	switch (verdict) {
	case FW_SEND:
		count_allowed(ctx, pkt);
		return pkt->action;
	case FW_PASS:
		count_allowed(ctx, pkt);
		return TC_NEXT;
	case FW_DROP:
		return finish_drop(ctx, pkt);
	case FW_HELD:
		return TC_DROP;
	default:
		return TC_NEXT;
	}
}

/* Between containers only IP and ARP pass; a link may carry what it likes to the host. */
FW_INLINE enum fw_verdict other_type(fw_ctx *ctx, struct fw_pkt *pkt, __be16 type)
{
	if (pkt->origin != FW_FROM_CONTAINER)
		return FW_UP;
	if (type == bpf_htons(ETH_P_ARP))
		return (enum fw_verdict)arp_from_container(ctx, pkt);
	return drop(pkt, FW_REASON_MALFORMED);
}

FW_INLINE int run(struct __sk_buff *ctx, enum fw_origin origin)
{
	struct fw_pkt pkt = {.origin = (__u8)origin, .ifindex = ctx->ifindex};
	enum fw_verdict verdict;
	__be16 type = 0;

	if (origin == FW_FROM_HOST && ctx->ingress_ifindex)
		pkt.flags |= FW_PKT_TRANSIT;
	verdict = read_active(&pkt) ?: parse_link(ctx, &pkt, &type);
	if (!verdict && type == bpf_htons(ETH_P_IP))
		verdict = live_ipv4(ctx, &pkt);
	else if (!verdict && type == bpf_htons(ETH_P_IPV6))
		verdict = live_ipv6(ctx, &pkt);
	else if (!verdict)
		verdict = other_type(ctx, &pkt, type);

	return finish(ctx, &pkt, verdict);
}

SEC("tc")
int fw_wire_in(struct __sk_buff *ctx)
{
	return run(ctx, FW_FROM_WIRE);
}

SEC("tc")
int fw_ctr_in(struct __sk_buff *ctx)
{
	return run(ctx, FW_FROM_CONTAINER);
}

SEC("tc")
int fw_out(struct __sk_buff *ctx)
{
	return run(ctx, FW_FROM_HOST);
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
