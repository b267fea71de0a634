/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* forward: hand the packet to the next hop. */
#pragma once

#include "bpf/lib/packet.h"

FW_INLINE int write_macs(fw_ctx *ctx, const struct fw_hop *hop)
{
	const __u16 *dmac = (const __u16 *)hop->dmac, *smac = (const __u16 *)hop->smac;
	struct fw_eth *eth = ctx_data(ctx);

	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return 0;
	for (int i = 0; i < 3; i++) {
		eth->dst[i] = dmac[i];
		eth->src[i] = smac[i];
	}
	return 1;
}

FW_INLINE enum fw_verdict forward(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct fw_flow *flow = pkt->flow;

	if (flow->action == FW_TO_STACK)
		return FW_PASS;
	if (!(flow->flags & FW_FLOW_SWITCHED) && !(flow->hop.flags & FW_HOP_RESOLVE) &&
	    !write_macs(ctx, &flow->hop))
		return drop(pkt, FW_REASON_INTERNAL);
	return ctx_send(ctx, pkt, &flow->hop);
}
