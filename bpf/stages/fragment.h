/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* fragment: which flow does a piece of a datagram belong to?
 *
 * The first fragment has the transport header and is judged as any packet. Its ports are
 * remembered for as long as the datagram is on its way, and a later fragment is judged by
 * them: same flow, same rewrite, same policy. One that overlaps what has passed is refused
 * (RFC 1858, 3128, 5722), so nothing can replace the header that was judged.
 *
 * The piece is in the scratch space, not in struct fw_pkt: what no packet but a fragment
 * reads would be another state of every stage to the verifier.
 */
#pragma once

#include "bpf/lib/packet.h"
#include "bpf/lib/tuple.h"

/* As long as Linux waits for the rest (net.ipv4.ipfrag_time). */
#define DATAGRAM_LIFETIME_NS (30ull * 1000 * 1000 * 1000)

FW_INLINE struct fw_scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&fw_scratch, &zero);
}

/* The datagram of the piece in the scratch space. */
FW_INLINE struct fw_datagram *datagram_of(struct fw_scratch *s, const struct fw_tuple *t,
					  __u32 origin)
{
	struct fw_datagram *datagram = &s->held_key.datagram;

	datagram->src = t->src;
	datagram->dst = t->dst;
	datagram->id = s->piece.id;
	datagram->proto = s->piece.proto;
	datagram->family = t->family;
	datagram->origin = (__u8)origin;
	return datagram;
}

/* Another datagram of the same number starts anew. */
FW_SHARED int fw_remember_first(const struct fw_tuple *t, __u32 origin, __u32 ping, __u64 now_ns)
{
	struct fw_scratch *s = scratch();
	struct fw_first first = {};

	if (!s || !t)
		return 0;
	first.expires_ns = now_ns + DATAGRAM_LIFETIME_NS;
	first.sport = t->sport;
	first.dport = t->dport;
	first.proto = t->proto;
	first.ping = !!ping;
	first.end = s->piece.end;
	return (int)bpf_map_update_elem(&fw_firsts, datagram_of(s, t, origin), &first, BPF_ANY);
}

enum fw_first_seen {
	FW_FIRST_MISSING,
	FW_FIRST_SEEN, /* the fragment's tuple now has the ports */
	FW_FIRST_SEEN_PING,
	FW_FIRST_OVERLAPPED,
};

FW_SHARED int fw_follow_first(struct fw_tuple *t, __u32 origin, __u64 now_ns)
{
	struct fw_scratch *s = scratch();
	struct fw_first *first;

	if (!s || !t)
		return FW_FIRST_MISSING;
	first = bpf_map_lookup_elem(&fw_firsts, datagram_of(s, t, origin));
	if (!first || first->expires_ns <= now_ns)
		return FW_FIRST_MISSING;
	if (s->piece.start < READ_ONCE(first->end))
		return FW_FIRST_OVERLAPPED;
	t->sport = first->sport;
	t->dport = first->dport;
	t->proto = first->proto;
	return first->ping ? FW_FIRST_SEEN_PING : FW_FIRST_SEEN;
}

/* A later fragment passes; with the last one the datagram is done with. Behind a gap, the
 * missing one may still come, so overlaps are seen of what came in order. Two CPUs may do
 * so at once: each stores an end that was true a moment ago.
 */
FW_SHARED int fw_datagram_goes_on(const struct fw_tuple *t, __u32 origin)
{
	struct fw_scratch *s = scratch();
	struct fw_datagram *datagram;
	struct fw_first *first;

	if (!s || !t)
		return 0;
	datagram = datagram_of(s, t, origin);
	first = bpf_map_lookup_elem(&fw_firsts, datagram);
	if (!first || s->piece.start != READ_ONCE(first->end))
		return 0;
	if (s->piece.last)
		return (int)bpf_map_delete_elem(&fw_firsts, datagram);
	WRITE_ONCE(first->end, s->piece.end);
	return 0;
}

FW_INLINE void remember_first(struct fw_pkt *pkt)
{
	fw_remember_first(&pkt->tuple, pkt->origin, pkt->flags & FW_PKT_PING, pkt->now_ns);
}

/* FW_HELD: its first fragment is not known. */
FW_INLINE enum fw_verdict follow_first(struct fw_pkt *pkt)
{
	switch (fw_follow_first(&pkt->tuple, pkt->origin, pkt->now_ns)) {
	case FW_FIRST_MISSING:
		return FW_HELD;
	case FW_FIRST_OVERLAPPED:
		return drop(pkt, FW_REASON_FRAGMENT);
	case FW_FIRST_SEEN_PING:
		pkt->flags |= FW_PKT_PING;
		return FW_NEXT;
	default:
		return FW_NEXT;
	}
}

FW_INLINE void held_key(struct fw_scratch *s, const struct fw_pkt *pkt)
{
	datagram_of(s, &pkt->tuple, pkt->origin);
	s->held_key.slot = 0;
}
