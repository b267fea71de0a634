/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* admit: the first packet of a flow, and the first after the policy changed.
 *
 * Every step that can fail (policy, route, port) comes before the first write, so a
 * packet that is handed to the stack is the packet that arrived. Ends with pkt->flow set
 * and FW_NEXT, or decides.
 */
#pragma once

#include "bpf/stages/decide.h"
#include "bpf/stages/reserve.h"

#define DHCP4_SERVER 67
#define DHCP4_CLIENT 68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547

/* How a machine gets its own address must not depend on the policy: as a client on its
 * uplinks, as a server on its other interfaces, and whatever the host itself sends.
 */
FW_INLINE int is_dhcp(const struct fw_scratch *s)
{
	__u16 sport = bpf_ntohs(s->original.sport), dport = bpf_ntohs(s->original.dport);
	int from_server, from_client;

	if (s->original.proto != IPPROTO_UDP || s->origin == FW_FROM_CONTAINER)
		return 0;
	if (s->original.family == FW_IPV4) {
		from_server = sport == DHCP4_SERVER && dport == DHCP4_CLIENT;
		from_client = sport == DHCP4_CLIENT && dport == DHCP4_SERVER;
	} else {
		from_server = sport == DHCP6_SERVER && dport == DHCP6_CLIENT;
		from_client = sport == DHCP6_CLIENT && dport == DHCP6_SERVER;
	}
	if (s->origin == FW_FROM_HOST)
		return from_server || from_client;
	return s->iface.role == FW_ROLE_UPLINK ? from_server : from_client;
}

FW_INLINE int starts_here(const struct fw_pkt *pkt)
{
	return pkt->origin == FW_FROM_HOST && !(pkt->flags & FW_PKT_TRANSIT);
}

/* What leaves the host and is the translated side of a flow, was judged where it came in.
 * A packet of the host's own with the same addresses and ports is another flow.
 */
FW_INLINE int is_judged_already(const struct fw_pkt *pkt, struct fw_scratch *s)
{
	if (!(pkt->flags & FW_PKT_TRANSIT))
		return 0;
	tuple_reverse(&s->search, &s->original);
	return flow_find(FW_ESTABLISHED, &s->search) || flow_find(FW_HALF_OPEN, &s->search);
}

/* May this packet start a flow? A TCP flow starts with a SYN. One that is older than fwd
 * itself is picked up in the middle, for a while after the first start, and always if
 * host.admin admits it: starting a firewall must not end the session that started it.
 */
FW_INLINE int may_start(const struct fw_pkt *pkt, const struct fw_scratch *s)
{
	if (s->original.proto == IPPROTO_ICMP)
		return s->ping;
	if (s->original.proto != IPPROTO_TCP)
		return 1;
	if (pkt->tcp_flags & (FW_TCP_RST | FW_TCP_FIN))
		return 0;
	if ((pkt->tcp_flags & (FW_TCP_SYN | FW_TCP_ACK)) == FW_TCP_SYN)
		return 1;
	return !s->door.selector &&
	       (s->admin || READ_ONCE(pkt->active->adopt_until_ns) > pkt->now_ns);
}

/* Which bridge port or neighbour, and under which source address? */
FW_INLINE enum fw_verdict plan_forward(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s,
				       int switched)
{
	const struct fw_iface *out;

	if (switched)
		hop_on_bridge(&s->hop, &s->translated.dst);
	else if (!route(ctx, s, &s->hop, &s->translated, s->in_ifindex))
		return drop(pkt, FW_REASON_NO_ROUTE);
	if (CTX_IS_XDP && !(s->hop.flags & FW_HOP_XDP))
		return FW_UP;
	if (pkt->ttl <= 1 && !switched)
		return CTX_IS_XDP ? FW_UP : drop(pkt, FW_REASON_TTL_EXPIRED);

	if (!(s->src.flags & FW_IDENT_MASQUERADE) || switched)
		return FW_NEXT;
	out = bpf_map_lookup_elem(&fw_ifaces, &s->hop.ifindex);
	if (!out || out->role != FW_ROLE_UPLINK)
		return FW_NEXT;
	if (s->original.family == FW_IPV4) {
		if (!out->addr4)
			return drop(pkt, FW_REASON_NO_ROUTE);
		addr_from_ipv4(&s->translated.src, out->addr4);
		return FW_NEXT;
	}
	if (addr_is_zero(&out->addr6))
		return drop(pkt, FW_REASON_NO_ROUTE);
	s->translated.src = out->addr6;
	return FW_NEXT;
}

FW_INLINE int mac_equal(const __u8 *a, const __u8 *b)
{
	for (int i = 0; i < ETH_ALEN; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

/* On a bridge port: is the frame for another port rather than for the bridge itself? */
FW_INLINE int is_switched(const fw_ctx *ctx, const struct fw_scratch *s)
{
	const struct ethhdr *eth = ctx_data(ctx);

	if (s->origin != FW_FROM_CONTAINER || !s->iface.bridge)
		return 0;
	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return 0;
	return !mac_equal(eth->h_dest, s->iface.mac);
}

FW_INLINE int is_for_other_machine(const fw_ctx *ctx, const struct fw_pkt *pkt,
				   const struct fw_scratch *s)
{
	const struct ethhdr *eth = ctx_data(ctx);

	if (s->origin != FW_FROM_WIRE || pkt->flags & FW_PKT_GROUP)
		return 0;
	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return 0;
	return !mac_equal(eth->h_dest, s->iface.mac);
}

FW_INLINE enum fw_verdict choose(struct fw_pkt *pkt, struct fw_scratch *s)
{
	enum fw_verdict verdict;
	int served = 1;

	s->translated = s->original;
	if (s->door.selector) {
		served = choose_backend(pkt, s);
		s->translated.dport = s->door.port;
		if (served)
			identify(pkt, s, &s->translated.dst, &s->backend);
	}
	verdict = decide(pkt, s);
	if (verdict)
		return verdict;
	if (!s->door.selector) {
		s->translated = s->original; /* host.admin goes before a door */
		s->backend = s->dst;
		return FW_NEXT;
	}
	return served ? FW_NEXT : drop(pkt, FW_REASON_NO_ROUTE);
}

/* May this packet start a flow, and which? Reads the policy and the routes, and writes the
 * scratch alone, so that fw_explain may ask it about packets that do not exist. FW_NEXT: the
 * flow is to be opened.
 */
FW_INLINE enum fw_verdict plan_flow(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s)
{
	const struct fw_iface *iface = bpf_map_lookup_elem(&fw_ifaces, &pkt->ifindex);
	enum fw_verdict verdict;

	if (!iface)
		return drop(pkt, FW_REASON_INTERNAL);
	s->iface = *iface;
	s->original = pkt->tuple;
	s->origin = pkt->origin;
	s->in_ifindex = starts_here(pkt) ? 0 : pkt->ifindex;
	s->ping = !!(pkt->flags & FW_PKT_PING);
	s->admin = 0;
	s->switched = 0;
	s->action = FW_TO_STACK;
	if (is_for_other_machine(ctx, pkt, s))
		return FW_UP;
	if (is_dhcp(s) || is_judged_already(pkt, s))
		return FW_UP;

	classify(pkt, s);
	if (is_martian(s))
		return drop(pkt, FW_REASON_MARTIAN);
	verdict = choose(pkt, s);
	if (verdict)
		return verdict;
	if (!may_start(pkt, s))
		return drop(pkt, FW_REASON_INVALID_STATE);
	pkt->account = s->account;
	if (s->group)
		return FW_PASS;
	if (s->origin == FW_FROM_HOST ||
	    (s->dst.flags & FW_IDENT_HOST && (!s->door.selector || s->door.flags & FW_DOOR_LOCAL)))
		return CTX_IS_XDP ? FW_UP : FW_NEXT;
	s->action = FW_FORWARD;
	s->switched = (__u8)is_switched(ctx, s);
	return plan_forward(ctx, pkt, s, s->switched);
}

/* What a packet changes, and a question must not, is done from here on. */
FW_INLINE enum fw_verdict admit_new(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s)
{
	enum fw_verdict verdict = plan_flow(ctx, pkt, s);

	if (verdict)
		return verdict;
	if (pkt->flags & FW_PKT_STRAY)
		fw_flow_delete(FW_ESTABLISHED, &s->original);
	return open_flow(pkt, s, s->action, s->switched ? FW_FLOW_SWITCHED : 0);
}

/* Is the backend that a flow goes to still one of its door's? */
FW_INLINE int still_served(const struct fw_pkt *pkt, struct fw_scratch *s,
			   const struct fw_flow *forward)
{
	__u32 slot = slot_of(pkt);
	void *members;

	if (forward->flags & FW_FLOW_ADMIN)
		return 1;
	if (!s->door.selector)
		return !(forward->flags & FW_FLOW_DOOR);
	if (!(forward->flags & FW_FLOW_DOOR) || forward->dport != s->door.port)
		return 0;
	if (s->door.flags & FW_DOOR_LOCAL)
		return addr_equal(&forward->dst, &s->original.dst);
	members = bpf_map_lookup_elem(&fw_members, &slot);
	if (!members)
		return 0;
	s->key.member.service = s->door.service;
	s->key.member.addr = forward->dst;
	return bpf_map_lookup_elem(members, &s->key.member) != 0;
}

/* A flow that an older policy admitted: does this one, too? A flow keeps its backend and
 * its ports; one that is no longer allowed is cut, both directions at once.
 */
FW_INLINE enum fw_verdict judge_again(struct fw_pkt *pkt, struct fw_scratch *s)
{
	enum fw_table table = pkt->flags & FW_PKT_HALF ? FW_HALF_OPEN : FW_ESTABLISHED;
	struct fw_flow *flow = pkt->flow, *forward, *reverse;
	const struct fw_iface *iface;
	enum fw_verdict verdict;
	struct fw_tuple *key = &s->search;

	partner_key(key, flow, &pkt->tuple);
	if (flow->flags & FW_FLOW_ORIGINAL) {
		s->original = pkt->tuple;
		forward = flow;
		reverse = flow_find(table, key);
	} else {
		s->original = *key;
		forward = flow_find(table, key);
		reverse = flow;
	}
	if (!forward || !reverse)
		return drop(pkt, FW_REASON_INVALID_STATE);
	s->origin = forward->origin;
	s->in_ifindex = forward->in_ifindex;
	s->ping = s->original.proto == IPPROTO_ICMP;
	s->admin = 0;
	iface = bpf_map_lookup_elem(&fw_ifaces, &s->in_ifindex);
	if (iface)
		s->iface = *iface;
	else
		__builtin_memset(&s->iface, 0, sizeof(s->iface));

	classify(pkt, s);
	if (s->door.selector)
		identify(pkt, s, &forward->dst, &s->backend);
	verdict = decide(pkt, s);
	if (!verdict && !still_served(pkt, s, forward))
		verdict = drop(pkt, FW_REASON_NO_RULE);
	if (verdict) {
		fw_flow_delete(table, key);
		fw_flow_delete(table, &pkt->tuple);
		return verdict;
	}
	WRITE_ONCE(forward->account, s->account);
	WRITE_ONCE(reverse->account, s->account);
	WRITE_ONCE(forward->generation, generation_of(pkt));
	WRITE_ONCE(reverse->generation, generation_of(pkt));
	return FW_NEXT;
}

/* The packets of a flow now come from another interface: its first answer, a changed
 * route, or a forgery.
 */
FW_INLINE enum fw_verdict check_arrival(struct fw_pkt *pkt, struct fw_scratch *s)
{
	const struct fw_iface *iface = bpf_map_lookup_elem(&fw_ifaces, &pkt->ifindex);

	if (!iface)
		return drop(pkt, FW_REASON_INTERNAL);
	s->iface = *iface;
	s->original = pkt->tuple;
	s->origin = pkt->origin;
	s->in_ifindex = pkt->ifindex;
	identify(pkt, s, &s->original.src, &s->src);
	if (is_martian(s))
		return drop(pkt, FW_REASON_MARTIAN);
	WRITE_ONCE(pkt->flow->in_ifindex, pkt->ifindex);
	return FW_NEXT;
}

FW_INLINE int needs_arrival_check(const struct fw_pkt *pkt, const struct fw_flow *flow)
{
	return pkt->origin != FW_FROM_HOST && flow->in_ifindex != pkt->ifindex;
}

FW_OUTLINE int admit(fw_ctx *ctx, struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	enum fw_verdict verdict = FW_NEXT;

	if (!s)
		return (int)drop(pkt, FW_REASON_INTERNAL);
	if (!pkt->flow)
		return (int)admit_new(ctx, pkt, s);
	if (needs_arrival_check(pkt, pkt->flow))
		verdict = check_arrival(pkt, s);
	if (!verdict && pkt->flow->generation != generation_of(pkt))
		verdict = judge_again(pkt, s);
	return (int)verdict;
}

FW_INLINE int needs_admission(const struct fw_pkt *pkt)
{
	const struct fw_flow *flow = pkt->flow;

	return !flow || flow->generation != generation_of(pkt) || needs_arrival_check(pkt, flow);
}
