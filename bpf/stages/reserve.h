/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* reserve: make the tuple of the answers ours, and open the flow.
 *
 * The insert of the answer's tuple with BPF_NOEXIST is the lock: two flows can never
 * have the same answers. Where the tuple is taken, another source port is sought
 * (RFC 4787 section 4.2); where none is left, the packet is dropped as NAT_EXHAUSTED.
 */
#pragma once

#include "bpf/stages/route.h"
#include "bpf/stages/track.h"

/* Tries of a port search. At half of the ports taken, 128 random tries miss all of them
 * once in 10^38.
 */
#define PORT_TRIES 128
#define PORT_FIRST 1024 /* the search leaves the well-known ports alone (RFC 4787 REQ-3) */

/* Inserts s->reverse under `answer`. A promoted flow is always in at least one of the two
 * tables, so looking at the established one after the insert misses none.
 */
FW_INLINE int claim(const struct fw_pkt *pkt, struct fw_scratch *s, const struct fw_tuple *answer)
{
	if (fw_flow_alive(FW_HALF_OPEN, answer, pkt->now_ns) ||
	    fw_flow_insert(FW_HALF_OPEN, answer, &s->reverse, BPF_NOEXIST))
		return 0;
	if (!fw_flow_alive(FW_ESTABLISHED, answer, pkt->now_ns))
		return 1;
	fw_flow_delete(FW_HALF_OPEN, answer);
	return 0;
}

FW_INLINE __u32 port_change(const struct fw_tuple *from, __be16 sport, __be16 dport)
{
	return csum_fold(csum_change16(from->sport, sport) + csum_change16(from->dport, dport));
}

struct port_search {
	const struct fw_pkt *pkt;
	struct fw_scratch *s;
	__u32 start;
	__u32 found; /* 1, with the claimed tuple in s->search */
};

static long try_port(__u32 i, struct port_search *search)
{
	struct fw_scratch *s = search->s;
	/* An odd stride of 2^16 visits every port once; those below the first are skipped. */
	__u32 port = (search->start + i * 40503u) & 0xffff;

	if (port < PORT_FIRST)
		return 0;
	s->search.dport = bpf_htons((__u16)port);
	s->reverse.port_csum = port_change(&s->search, s->reverse.sport, s->reverse.dport);
	s->reverse.flags |= FW_FLOW_REWRITE;
	search->found = (__u32)claim(search->pkt, s, &s->search);
	return search->found;
}

/* Was the answer claimed by this very flow, on another CPU or before its forward half was
 * pushed out?
 */
FW_INLINE int is_ours(const struct fw_scratch *s, const struct fw_flow *reverse)
{
	return addr_equal(&reverse->src, &s->original.dst) &&
	       addr_equal(&reverse->dst, &s->original.src) && reverse->sport == s->original.dport &&
	       reverse->dport == s->original.sport;
}

FW_INLINE enum fw_verdict reserve(struct fw_pkt *pkt, struct fw_scratch *s)
{
	struct port_search search = {.pkt = pkt, .s = s, .start = bpf_get_prandom_u32()};
	struct fw_flow *holder;

	tuple_reverse(&s->answer, &s->translated);
	if (claim(pkt, s, &s->answer))
		return FW_NEXT;
	holder = flow_find(FW_HALF_OPEN, &s->answer);
	if (holder && is_ours(s, holder))
		return FW_NEXT;
	if (s->original.proto != IPPROTO_TCP && s->original.proto != IPPROTO_UDP && !s->ping)
		return drop(pkt, FW_REASON_NAT_EXHAUSTED);

	s->search = s->answer;
	bpf_loop(PORT_TRIES, try_port, &search, 0);
	if (!search.found)
		return drop(pkt, FW_REASON_NAT_EXHAUSTED);
	s->answer = s->search;
	s->translated.sport = s->search.dport;
	return FW_NEXT;
}

FW_INLINE __u8 half_state(const struct fw_scratch *s)
{
	if (s->original.proto == IPPROTO_TCP)
		return FW_TCP_HALF;
	if (s->original.proto == IPPROTO_UDP)
		return FW_UDP_HALF;
	return s->original.proto == IPPROTO_ICMP ? FW_ICMP_HALF : FW_OTHER_HALF;
}

FW_INLINE __u32 address_change(const struct fw_tuple *from, const struct fw_tuple *to)
{
	__u64 sum = 0;

	for (int i = 0; i < 4; i++) {
		sum += (__u64)(__u32)~from->src.w[i] + to->src.w[i];
		sum += (__u64)(__u32)~from->dst.w[i] + to->dst.w[i];
	}
	return csum_fold(sum);
}

/* One direction: packets of tuple `from` leave as `to`. */
FW_INLINE void fill_flow(const struct fw_pkt *pkt, const struct fw_scratch *s, struct fw_flow *flow,
			 const struct fw_tuple *from, const struct fw_tuple *to)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->state = half_state(s);
	flow->expires_ns = pkt->now_ns + timeout_of(pkt, flow->state);
	flow->generation = generation_of(pkt);
	flow->account = s->account;
	flow->src = to->src;
	flow->dst = to->dst;
	flow->sport = to->sport;
	flow->dport = to->dport;
	if (!addr_equal(&from->src, &to->src) || !addr_equal(&from->dst, &to->dst) ||
	    from->sport != to->sport || from->dport != to->dport)
		flow->flags |= FW_FLOW_REWRITE;
	if (s->door.selector)
		flow->flags |= FW_FLOW_DOOR;
	if (s->admin)
		flow->flags |= FW_FLOW_ADMIN;
	flow->addr_csum = address_change(from, to);
	flow->port_csum = port_change(from, to->sport, to->dport);
}

/* Where do the answers come from? */
FW_INLINE __u8 answer_origin(const struct fw_scratch *s, __u8 action)
{
	if (action == FW_TO_STACK && s->origin != FW_FROM_HOST)
		return FW_FROM_HOST;
	return s->backend.flags & FW_IDENT_CONTAINER ? FW_FROM_CONTAINER : FW_FROM_WIRE;
}

/* Opens the flow that classify, decide and route have described: the answer first. */
FW_INLINE enum fw_verdict open_flow(struct fw_pkt *pkt, struct fw_scratch *s, __u8 action,
				    __u8 flags)
{
	enum fw_verdict verdict;

	tuple_reverse(&s->search, &s->original);
	tuple_reverse(&s->answer, &s->translated);
	fill_flow(pkt, s, &s->reverse, &s->answer, &s->search);
	s->reverse.origin = answer_origin(s, action);
	s->reverse.action = action;
	s->reverse.flags |= flags;
	verdict = reserve(pkt, s);
	if (verdict)
		return verdict;

	fill_flow(pkt, s, &s->forward, &s->original, &s->translated);
	s->forward.origin = s->origin;
	s->forward.action = action;
	s->forward.in_ifindex = s->in_ifindex;
	s->forward.flags |= FW_FLOW_ORIGINAL | flags;
	if (action == FW_FORWARD)
		remember_hop(pkt, &s->forward, &s->hop);
	if (fw_flow_insert(FW_HALF_OPEN, &s->original, &s->forward, BPF_ANY)) {
		fw_flow_delete(FW_HALF_OPEN, &s->answer);
		return drop(pkt, FW_REASON_FLOW_LIMIT);
	}
	pkt->flags |= FW_PKT_HALF;
	pkt->flow = flow_find(FW_HALF_OPEN, &s->original);
	return pkt->flow ? FW_NEXT : drop(pkt, FW_REASON_FLOW_LIMIT);
}
