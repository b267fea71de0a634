/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* XDP, on uplinks and LAN interfaces: every frame from a wire, before it costs an skb.
 * Drops what the policy denies and forwards what it can finish; everything else goes up
 * to fw_wire_in untouched, and is counted there.
 */
#include "bpf/lib/ctx_xdp.h"
#include "bpf/lib/pipeline.h"

FW_INLINE enum fw_verdict about_error(fw_ctx *ctx, struct fw_pkt *pkt)
{
	(void)ctx;
	(void)pkt;
	return FW_UP;
}

FW_INLINE enum fw_verdict about_neighbour(fw_ctx *ctx, struct fw_pkt *pkt)
{
	(void)ctx;
	(void)pkt;
	return FW_UP;
}

/* TC holds fragments, and lets them go when the first one comes there. */
FW_INLINE enum fw_verdict about_first(fw_ctx *ctx, struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);

	(void)ctx;
	if (!s)
		return FW_UP;
	held_key(s, pkt);
	return bpf_map_lookup_elem(&fw_held, &s->held_key) ? FW_UP : FW_NEXT;
}

FW_INLINE enum fw_verdict about_early(fw_ctx *ctx, struct fw_pkt *pkt)
{
	(void)ctx;
	(void)pkt;
	return FW_UP;
}

FW_INLINE int finish(fw_ctx *ctx, struct fw_pkt *pkt, enum fw_verdict verdict)
{
	switch (verdict) {
	case FW_SEND:
		count_allowed(ctx, pkt);
		return pkt->action;
	case FW_DROP:
		if (is_answered(pkt))
			return XDP_PASS; /* TC judges it the same, and answers */
		if (pkt->flow)
			find_zones(pkt);
		count_denied(ctx, pkt);
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}

SEC("xdp.frags")
int fw_xdp(struct xdp_md *ctx)
{
	struct fw_pkt pkt = {.origin = FW_FROM_WIRE, .ifindex = ctx->ingress_ifindex};
	enum fw_verdict verdict;
	__be16 type = 0;

	verdict = read_active(&pkt) ?: parse_link(ctx, &pkt, &type);
	if (!verdict && type == bpf_htons(ETH_P_IP))
		verdict = live_ipv4(ctx, &pkt);
	else if (!verdict && type == bpf_htons(ETH_P_IPV6))
		verdict = live_ipv6(ctx, &pkt);

	return finish(ctx, &pkt, verdict);
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
