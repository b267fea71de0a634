/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* track: is this packet part of a flow that was already admitted?
 *
 * Fills the track group. Never drops: a packet without a flow is the first of one, and
 * `admit` judges it. A flow that is expired, or was closed and is opened again, is no
 * flow; one that was judged by an older policy, or whose packets now come from
 * elsewhere, is judged again.
 */
#pragma once

#include "bpf/lib/clock.h"
#include "bpf/lib/tuple.h"

FW_INLINE enum fw_verdict read_active(struct fw_pkt *pkt)
{
	__u32 zero = 0;

	pkt->active = bpf_map_lookup_elem(&fw_active, &zero);
	if (!pkt->active)
		return drop(pkt, FW_REASON_INTERNAL);
	pkt->current = READ_ONCE(pkt->active->current);
	if (!generation_of(pkt))
		return FW_UP; /* no policy yet: the daemon is still starting */
	pkt->now_ns = now_ns();
	return FW_NEXT;
}

FW_INLINE __u64 timeout_of(const struct fw_pkt *pkt, __u8 state)
{
	return parameters_of(pkt)->timeout_ns[state < FW_FLOW_STATES ? state : 0];
}

/* Puts both directions into one state. A race with the other direction's CPU ends in
 * one of the two states, both true a moment ago.
 */
FW_INLINE void set_state(struct fw_pkt *pkt, struct fw_flow *flow, struct fw_flow *partner,
			 __u8 state)
{
	__u64 expires = pkt->now_ns + timeout_of(pkt, state);

	WRITE_ONCE(flow->state, state);
	WRITE_ONCE(flow->expires_ns, expires);
	if (partner) {
		WRITE_ONCE(partner->state, state);
		WRITE_ONCE(partner->expires_ns, expires);
	}
}

FW_INLINE __u8 established(__u8 half)
{
	switch (half) {
	case FW_TCP_HALF:
		return FW_TCP_ESTABLISHED;
	case FW_UDP_HALF:
		return FW_UDP_ESTABLISHED;
	case FW_ICMP_HALF:
		return FW_ICMP_ESTABLISHED;
	case FW_OTHER_HALF:
		return FW_OTHER_ESTABLISHED;
	default:
		return half;
	}
}

/* The answer to a half-open flow: move both directions to the established table. A
 * table that is full leaves the flow half-open, where it works until it is pushed out.
 */
FW_INLINE void promote(struct fw_pkt *pkt, struct fw_scratch *s)
{
	struct fw_flow *partner, *flow = pkt->flow;
	struct fw_tuple *key = &s->search;
	__u64 expires;

	partner_key(key, flow, &pkt->tuple);
	partner = flow_find(FW_HALF_OPEN, key);
	if (!partner)
		return;
	s->reverse = *flow;
	s->forward = *partner;
	s->reverse.state = established(s->reverse.state);
	s->forward.state = s->reverse.state;
	expires = pkt->now_ns + timeout_of(pkt, s->reverse.state);
	s->reverse.expires_ns = expires;
	s->forward.expires_ns = expires;
	if (fw_flow_insert(FW_ESTABLISHED, key, &s->forward, BPF_ANY))
		return;
	if (fw_flow_insert(FW_ESTABLISHED, &pkt->tuple, &s->reverse, BPF_ANY)) {
		fw_flow_delete(FW_ESTABLISHED, key);
		return;
	}
	fw_flow_delete(FW_HALF_OPEN, key);
	fw_flow_delete(FW_HALF_OPEN, &pkt->tuple);
	flow = flow_find(FW_ESTABLISHED, &pkt->tuple);
	if (!flow)
		return;
	pkt->flow = flow;
	pkt->flags &= (__u8)~FW_PKT_HALF;
}

/* TCP: follows FIN and RST (RFC 5382 section 5). */
FW_INLINE void follow_tcp(struct fw_pkt *pkt, struct fw_scratch *s)
{
	enum fw_table table = pkt->flags & FW_PKT_HALF ? FW_HALF_OPEN : FW_ESTABLISHED;
	struct fw_flow *partner, *flow = pkt->flow;

	if (!(pkt->tcp_flags & (FW_TCP_FIN | FW_TCP_RST)))
		return;
	partner_key(&s->search, flow, &pkt->tuple);
	partner = flow_find(table, &s->search);
	if (pkt->tcp_flags & FW_TCP_RST) {
		set_state(pkt, flow, partner, FW_TCP_CLOSED);
		return;
	}
	flow->flags |= FW_FLOW_FIN; /* only this direction's packets write it */
	if (flow->state == FW_TCP_CLOSED)
		return;
	set_state(pkt, flow, partner,
		  partner && partner->flags & FW_FLOW_FIN ? FW_TCP_CLOSED : FW_TCP_CLOSING);
}

/* The packets that change a flow's state: the first answer, FIN, RST, and a SYN on a
 * closed flow, which opens a new one. Leaves pkt->flow NULL where there is no flow.
 */
FW_OUTLINE int advance(struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	struct fw_flow *flow = pkt->flow;

	if (!s || !flow)
		return 0;
	if ((pkt->tcp_flags & (FW_TCP_SYN | FW_TCP_ACK)) == FW_TCP_SYN &&
	    (flow->state == FW_TCP_CLOSED || flow->state == FW_TCP_CLOSING)) {
		enum fw_table table = pkt->flags & FW_PKT_HALF ? FW_HALF_OPEN : FW_ESTABLISHED;

		partner_key(&s->search, flow, &pkt->tuple);
		fw_flow_delete(table, &s->search);
		fw_flow_delete(table, &pkt->tuple);
		pkt->flow = 0;
		return 0;
	}
	if (pkt->flags & FW_PKT_HALF) {
		if (!(flow->flags & FW_FLOW_ORIGINAL)) {
			promote(pkt, s);
		} else {
			/* Its other half may have been pushed out: begin again. */
			partner_key(&s->search, flow, &pkt->tuple);
			if (!flow_find(FW_HALF_OPEN, &s->search)) {
				fw_flow_delete(FW_HALF_OPEN, &pkt->tuple);
				pkt->flow = 0;
				return 0;
			}
		}
	}
	follow_tcp(pkt, s);
	return 0;
}

FW_INLINE enum fw_verdict track(struct fw_pkt *pkt, const enum fw_family family)
{
	struct fw_flow *flow;

	if (family == FW_IPV4) {
		struct fw_tuple4 key = to_tuple4(&pkt->tuple);

		flow = bpf_map_lookup_elem(&fw_flows4, &key);
		if (!flow) {
			flow = bpf_map_lookup_elem(&fw_half4, &key);
			pkt->flags |= FW_PKT_HALF;
		}
	} else {
		flow = bpf_map_lookup_elem(&fw_flows6, &pkt->tuple);
		if (!flow) {
			flow = bpf_map_lookup_elem(&fw_half6, &pkt->tuple);
			pkt->flags |= FW_PKT_HALF;
		}
	}
	pkt->flow = flow;
	if (!flow)
		return FW_NEXT;
	if (flow->expires_ns <= pkt->now_ns &&
	    !fw_flow_alive(pkt->flags & FW_PKT_HALF ? FW_HALF_OPEN : FW_ESTABLISHED, &pkt->tuple,
			   pkt->now_ns)) {
		pkt->flow = 0;
		return FW_NEXT;
	}
	/* The translated side of a flow may look like another one of the host's own. */
	if (pkt->flags & FW_PKT_TRANSIT && flow->origin == FW_FROM_HOST && !flow->in_ifindex) {
		pkt->flow = 0;
		return FW_NEXT;
	}
	if (flow->origin != pkt->origin) {
		/* Leaving the host, it was judged where it came in; else it is judged anew. */
		if (pkt->origin == FW_FROM_HOST)
			return FW_UP;
		pkt->flags |= FW_PKT_STRAY;
		pkt->flow = 0;
		return FW_NEXT;
	}
	if (pkt->flags & FW_PKT_HALF || pkt->tcp_flags & (FW_TCP_FIN | FW_TCP_SYN | FW_TCP_RST))
		advance(pkt);
	return FW_NEXT;
}

/* Counts the packet on its flow and keeps the flow alive. Another CPU may do the same at
 * once: a count may be lost, nothing else.
 */
FW_INLINE void touch(const fw_ctx *ctx, struct fw_pkt *pkt)
{
	struct fw_flow *flow = pkt->flow;

	flow->packets += ctx_packets(ctx);
	flow->bytes += pkt->frame_len;
	WRITE_ONCE(flow->expires_ns, pkt->now_ns + timeout_of(pkt, flow->state));
	pkt->account = flow->account;
}
