/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* decide: may this flow start?
 *
 * host.admin > block > doors and allow > default deny. loader/compile/judge.cpp decides
 * the same way in user space for `explain` and for the tests that compare the two.
 * Fills the decide group of struct fw_scratch, or drops with the reason.
 */
#pragma once

#include "bpf/stages/classify.h"

FW_INLINE __u32 port_class(const struct fw_pkt *pkt, const struct fw_scratch *s, __be16 port)
{
	__u32 slot = slot_of(pkt), index = bpf_ntohs(port);
	struct fw_port_class *class;
	void *ports;

	if (s->ping)
		return FW_PORTS_PING;
	if (s->original.proto != IPPROTO_TCP && s->original.proto != IPPROTO_UDP)
		return FW_PORTS_ANY;
	ports = bpf_map_lookup_elem(&fw_ports, &slot);
	if (!ports)
		return FW_PORTS_ANY;
	class = bpf_map_lookup_elem(ports, &index);
	if (!class)
		return FW_PORTS_ANY;
	return s->original.proto == IPPROTO_TCP ? class->tcp : class->udp;
}

FW_INLINE __u32 selector_at(const struct fw_ident *ident, __u32 level)
{
	if (level == 0)
		return ident->id;
	return level == 1 ? FW_SEL_ZONE | ident->zone : FW_SEL_ANY;
}

struct fw_question {
	struct fw_scratch *s;
	void *policy;
	const struct fw_ident *from;
	const struct fw_ident *to;
	__u32 to_selector; /* of a door; 0: ask for `to` at its levels */
	__u32 ports;
	__u32 levels; /* which shapes of key exist */
	__u32 verdict;
	__u32 found;
};

/* Looks for an entry with the verdict in question at one level, if that is in use. */
static long ask_level(__u32 level, struct fw_question *q)
{
	__u32 from = level / 6, to = level / 2 % 3;
	struct fw_policy_key *key = &q->s->key.policy;
	struct fw_policy_entry *entry;

	if (!(q->levels >> level & 1))
		return 0;
	key->from = selector_at(q->from, from);
	key->to = q->to_selector ? q->to_selector : selector_at(q->to, to);
	key->ports = level & 1 ? FW_PORTS_ANY : q->ports;
	/* No identity of its own, or no class: not a key at this level. */
	if ((from == 0 && !key->from) || (to == 0 && !key->to) || (!(level & 1) && !q->ports))
		return 0;
	entry = bpf_map_lookup_elem(q->policy, key);
	if (!entry || entry->verdict != q->verdict)
		return 0;
	q->s->account = entry->account + q->from->zone * entry->from_stride +
			q->to->zone * entry->to_stride;
	q->s->limit = entry->limit;
	q->found = 1;
	return 1;
}

/* Asks at every level, the most specific first. Remembers the account in s->account. */
FW_OUTLINE int ask(const struct fw_pkt *pkt, struct fw_scratch *s, struct fw_question *q)
{
	__u32 slot = slot_of(pkt);

	q->s = s;
	q->found = 0;
	q->policy = bpf_map_lookup_elem(&fw_policy, &slot);
	if (q->policy && q->levels)
		bpf_loop(FW_LEVELS, ask_level, q, 0);
	return (int)q->found;
}

/* Why is there no rule? The answer that helps most. */
FW_INLINE enum fw_reason default_reason(const struct fw_scratch *s)
{
	if ((s->src.flags | s->dst.flags) & FW_IDENT_UNMANAGED)
		return FW_REASON_UNMANAGED;
	if (s->origin == FW_FROM_WIRE && s->dst.flags & (FW_IDENT_HOST | FW_IDENT_CONTAINER))
		return FW_REASON_NOT_PUBLISHED;
	return FW_REASON_NO_RULE;
}

FW_INLINE int blocked(const struct fw_pkt *pkt, struct fw_scratch *s, __u32 ports)
{
	struct fw_question q = {
		.from = &s->src,
		.to = &s->dst,
		.ports = ports,
		.levels = parameters_of(pkt)->block_levels,
		.verdict = FW_BLOCK,
	};

	if (ask(pkt, s, &q))
		return 1;
	if (!q.levels || !s->door.selector)
		return 0;
	if (!s->door.pool.size && !(s->door.flags & FW_DOOR_LOCAL))
		return 0; /* no backend of this family */
	q.to = &s->backend;
	q.ports = port_class(pkt, s, s->door.port);
	return ask(pkt, s, &q);
}

/* Of a flow through a door: s->translated.dst holds its backend. */
FW_INLINE enum fw_verdict decide_door(struct fw_pkt *pkt, struct fw_scratch *s)
{
	struct fw_question q = {
		.from = &s->src,
		.to = &s->backend,
		.to_selector = s->door.selector,
		.levels = parameters_of(pkt)->door_levels,
		.verdict = FW_ALLOW,
	};

	return ask(pkt, s, &q) ? FW_NEXT : drop(pkt, FW_REASON_NO_RULE);
}

FW_INLINE enum fw_verdict decide(struct fw_pkt *pkt, struct fw_scratch *s)
{
	const struct fw_generation *p = parameters_of(pkt);
	struct fw_question q = {
		.from = &s->src,
		.to = &s->dst,
		.ports = port_class(pkt, s, s->original.dport),
		.levels = p->admit_levels,
		.verdict = FW_ADMIT,
	};

	s->admin = (__u32)ask(pkt, s, &q);
	if (s->admin) {
		s->door.selector = 0;
		return FW_NEXT;
	}
	if (blocked(pkt, s, q.ports)) {
		pkt->account = s->account;
		return drop(pkt, FW_REASON_BLOCKED);
	}
	if (s->door.selector)
		return decide_door(pkt, s);

	q.levels = p->allow_levels;
	q.verdict = FW_ALLOW;
	/* Nobody reaches a container from an uplink but through a door. */
	if (!(s->origin == FW_FROM_WIRE && s->iface.role == FW_ROLE_UPLINK &&
	      s->dst.flags & FW_IDENT_CONTAINER) &&
	    ask(pkt, s, &q))
		return FW_NEXT;
	if (s->origin == FW_FROM_HOST && !(s->dst.flags & FW_IDENT_CONTAINER) &&
	    s->src.flags & FW_IDENT_HOST && p->flags & FW_HOST_EGRESS) {
		s->account = p->egress_account + s->dst.zone;
		s->limit = 0;
		return FW_NEXT;
	}
	return drop(pkt, default_reason(s));
}
