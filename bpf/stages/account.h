/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* account: count the packet, once, where its verdict is final.
 *
 * One increment: the account stands for the rule or door and the zone pair, or for the
 * zone pair and the reason (maps/account.h). A blocked packet counts for the rule that
 * blocks it, whose account says that it was one.
 */
#pragma once

#include "bpf/maps.bpf.h"

FW_INLINE void count_at(const fw_ctx *ctx, const struct fw_pkt *pkt, __u32 account)
{
	__u32 chunk = account / FW_ACCOUNTS_PER_CHUNK, index = account % FW_ACCOUNTS_PER_CHUNK;
	struct fw_account *counts;
	void *accounts = bpf_map_lookup_elem(&fw_accounts, &chunk);

	if (!accounts)
		return;
	counts = bpf_map_lookup_elem(accounts, &index);
	if (!counts)
		return;
	counts->packets += ctx_packets(ctx);
	counts->bytes += pkt->frame_len;
}

FW_INLINE void count_allowed(const fw_ctx *ctx, const struct fw_pkt *pkt)
{
	count_at(ctx, pkt, pkt->account);
}

FW_INLINE __u32 account_of_denial(const struct fw_pkt *pkt)
{
	const struct fw_generation *p = parameters_of(pkt);
	__u32 pair = (pkt->zones >> 16) * p->zones + (pkt->zones & 0xffff);

	return pkt->reason == FW_REASON_BLOCKED ? pkt->account
						: p->denied + pair * FW_REASON_COUNT + pkt->reason;
}

FW_OUTLINE int count_denied(const fw_ctx *ctx, const struct fw_pkt *pkt)
{
	if (pkt->active)
		count_at(ctx, pkt, account_of_denial(pkt));
	return 0;
}
