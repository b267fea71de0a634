/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* refuse: is the sender of a denied packet told (`deny: reject`)?
 *
 * TC answers; XDP leaves to it what is to be answered, as long as answers are left. What
 * is no fault of the policy's is never answered, nor is what RFC 1122 section 3.2.2 says
 * must not be: ICMP errors, fragments, and whatever was sent to a group.
 */
#pragma once

#include "bpf/stages/classify.h"
#include "bpf/stages/limit.h"

/* Of the whole machine, as Linux limits its ICMP errors (net.ipv4.icmp_msgs_per_sec). */
#define ANSWER_COST_NS 1000000ull
#define ANSWER_BURST_NS 1000000000ull

/* On what this host's programs have made themselves and send back. A mark does not cross
 * network namespaces, so only this host can set it, and only a RST or an ICMP error
 * passes by it.
 */
#define FW_MARK_ANSWER 0x66776401u

FW_INLINE int is_own_answer(const fw_ctx *ctx, const struct fw_pkt *pkt)
{
	return ctx_mark(ctx) == FW_MARK_ANSWER &&
	       (pkt->flags & FW_PKT_ICMP_ERROR || pkt->tcp_flags & FW_TCP_RST);
}

/* A segment of no flow may be from the other end of one that the policy has cut. */
FW_INLINE int is_of_the_policy(const struct fw_pkt *pkt)
{
	switch (pkt->reason) {
	case FW_REASON_NO_RULE:
	case FW_REASON_NOT_PUBLISHED:
	case FW_REASON_UNMANAGED:
	case FW_REASON_BLOCKED:
		return 1;
	case FW_REASON_INVALID_STATE:
		return pkt->tuple.proto == IPPROTO_TCP;
	default:
		return 0;
	}
}

FW_INLINE int take_answer(const struct fw_pkt *pkt, __u64 cost_ns)
{
	struct fw_bucket_key key = {.limit = FW_BUCKETS_ANSWERS};

	return fw_take(&key, cost_ns, ANSWER_BURST_NS, pkt->now_ns);
}

FW_INLINE int is_answered(const struct fw_pkt *pkt)
{
	if (!pkt->active || !(parameters_of(pkt)->flags & FW_REJECT) || !is_of_the_policy(pkt))
		return 0;
	if (pkt->flags & (FW_PKT_FRAGMENT | FW_PKT_ICMP_ERROR | FW_PKT_GROUP) ||
	    is_group_address(pkt->family, &pkt->tuple.dst))
		return 0;
	return take_answer(pkt, 0);
}
