/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* parse: what is this packet?
 *
 * Fills the parse group of struct fw_pkt. Ends with FW_UP for what is not IP, and drops
 * as MALFORMED what is truncated, contradicts itself, or hides its transport header
 * behind more than it cares to follow. A fragment that is forged, or a first one without
 * its transport header (RFC 1858, 3128, 7112), is dropped as FRAGMENT.
 */
#pragma once

#include "bpf/lib/options.h"
#include "bpf/lib/tuple.h"

#define IPV6_EXTENSIONS_MAX 6
/* Ethernet, the longest IPv4 header or IPv6 with a few extensions, and TCP. */
#define HEADERS_MAX 128u

#define IP_DONT_FRAGMENT 0x4000
#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET_MASK 0x1fff
#define IP_LENGTH_MAX 0xffff
#define IPV6_OFFSET_MASK 0xfff8
#define IPV6_MORE_FRAGMENTS 1

/* A header that the packet is too short for. */
FW_INLINE enum fw_verdict cut_off(struct fw_pkt *pkt)
{
	return drop(pkt, pkt->flags & FW_PKT_FRAGMENT ? FW_REASON_FRAGMENT : FW_REASON_MALFORMED);
}

/* Notes in the scratch space which piece of its datagram this is. Returns 0 for one that
 * cannot be: every fragment but the last is a multiple of 8 bytes, and none ends beyond
 * what a length field can say.
 */
FW_SHARED int fw_note_piece(__u32 proto, __u32 id, __u32 start, __u32 length, __u32 more)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);

	if (!s || !length || start + length > IP_LENGTH_MAX || (more && length % 8))
		return 0;
	s->piece.proto = (__u8)proto;
	s->piece.id = id;
	s->piece.start = start;
	s->piece.end = start + length;
	s->piece.last = !more;
	return 1;
}

FW_INLINE enum fw_verdict parse_icmp(struct fw_pkt *pkt, const __u8 *icmp, __u8 request, __u8 reply)
{
	__be16 id = *(const __be16 *)(icmp + 4);

	pkt->icmp_type = icmp[0];
	pkt->tuple.proto = IPPROTO_ICMP;
	/* Neither comes in fragments (RFC 1812 section 4.3.2.3, RFC 6980). */
	if (pkt->flags & (FW_PKT_ICMP_ERROR | FW_PKT_NEIGHBOUR))
		return pkt->flags & FW_PKT_FRAGMENT ? drop(pkt, FW_REASON_FRAGMENT) : FW_NEXT;
	if (icmp[0] == request) {
		pkt->flags |= FW_PKT_PING;
		pkt->tuple.sport = id;
	} else if (icmp[0] == reply) {
		pkt->tuple.dport = id;
	} else {
		pkt->tuple.proto = IPPROTO_RAW;
	}
	return FW_NEXT;
}

/* RFC 792 and 1812: errors quote the packet they are about. Redirect (5) is not among
 * them: nobody on the wire tells this machine where to send.
 */
FW_INLINE int icmp4_is_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* RFC 4443: types below 128. */
FW_INLINE int icmp6_is_error(__u8 type)
{
	return type < 128;
}

/* Router and neighbour discovery (RFC 4861; not Redirect, 137) and multicast listeners
 * (RFC 2710, 3810).
 */
FW_INLINE int icmp6_is_neighbour(__u8 type)
{
	return (type >= 130 && type <= 136) || type == 143;
}

FW_INLINE enum fw_verdict parse_transport(fw_ctx *ctx, struct fw_pkt *pkt, __u8 proto,
					  const enum fw_family family)
{
	void *end = ctx_data_end(ctx);
	__u8 *l4 = ctx_data(ctx) + (pkt->l4_off & 0x1ff);
	/* Behind what the IP header announces is padding. */
	__u32 from = pkt->l4_off, until = pkt->l3_len + ETH_HEADER;

	pkt->tuple.proto = proto;
	if (proto == IPPROTO_TCP) {
		const struct tcphdr *tcp = (void *)l4;

		if ((void *)(tcp + 1) > end || tcp->doff < 5 || from + tcp->doff * 4u > until)
			return cut_off(pkt);
		*(__u32 *)&pkt->tuple.sport = *(const __u32 *)l4;
		pkt->tcp_flags = l4[13];
		return FW_NEXT;
	}
	if (proto == IPPROTO_UDP) {
		const struct udphdr *udp = (void *)l4;

		if ((void *)(udp + 1) > end || from + sizeof(*udp) > until)
			return cut_off(pkt);
		if (bpf_ntohs(udp->len) < sizeof(*udp) ||
		    (from + bpf_ntohs(udp->len) > until && !(pkt->flags & FW_PKT_FRAGMENT)))
			return drop(pkt, FW_REASON_MALFORMED);
		*(__u32 *)&pkt->tuple.sport = *(const __u32 *)l4;
		return FW_NEXT;
	}
	if (family == FW_IPV4 && proto == IPPROTO_ICMP) {
		if ((void *)(l4 + 8) > end || from + 8 > until)
			return cut_off(pkt);
		if (icmp4_is_error(l4[0]))
			pkt->flags |= FW_PKT_ICMP_ERROR;
		return parse_icmp(pkt, l4, ICMP_ECHO, ICMP_ECHOREPLY);
	}
	if (family == FW_IPV6 && proto == IPPROTO_ICMPV6) {
		if ((void *)(l4 + 8) > end || from + 8 > until)
			return cut_off(pkt);
		if (icmp6_is_error(l4[0]))
			pkt->flags |= FW_PKT_ICMP_ERROR;
		if (icmp6_is_neighbour(l4[0]))
			pkt->flags |= FW_PKT_NEIGHBOUR;
		return parse_icmp(pkt, l4, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY);
	}
	return FW_NEXT; /* no ports: only a rule for every protocol allows it */
}

/* Does a sender choose the way (RFC 7126 sections 4.3, 4.4)? The address that policy judges
 * would not be the last one.
 */
FW_OUTLINE int is_source_routed(fw_ctx *ctx, __u32 header)
{
	__u32 zero = 0, length = header - sizeof(struct iphdr);
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);

	if (!s || !length || length > FW_OPTIONS_BYTES ||
	    !ctx_load(ctx, ETH_HEADER + sizeof(struct iphdr), s->options.bytes, length))
		return 1;
	return fw_find_option(&s->options, length, IP_OPTION_LOOSE_ROUTE) != OPTION_MISSING ||
	       fw_find_option(&s->options, length, IP_OPTION_STRICT_ROUTE) != OPTION_MISSING;
}

FW_INLINE enum fw_verdict parse_ipv4(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct iphdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u32 header;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	header = ip->ihl * 4u;
	pkt->l3_len = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || pkt->l3_len < header ||
	    (pkt->l3_len + ETH_HEADER > pkt->frame_len && !ctx_has_more(ctx)))
		return drop(pkt, FW_REASON_MALFORMED);

	if (header > sizeof(*ip) && is_source_routed(ctx, header))
		return drop(pkt, FW_REASON_MALFORMED);
	addr_from_ipv4(&pkt->tuple.src, ip->saddr);
	addr_from_ipv4(&pkt->tuple.dst, ip->daddr);
	pkt->ttl = ip->ttl;
	pkt->l4_off = (__u16)(ETH_HEADER + header);
	if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_OFFSET_MASK)) {
		__u32 word = bpf_ntohs(ip->frag_off);

		pkt->flags |= FW_PKT_FRAGMENT;
		if (!fw_note_piece(ip->protocol, ip->id, (word & IP_OFFSET_MASK) * 8,
				   pkt->l3_len - header, word & IP_MORE_FRAGMENTS))
			return drop(pkt, FW_REASON_FRAGMENT);
		if (word & IP_OFFSET_MASK) {
			pkt->l4_off = FW_NO_TRANSPORT;
			return FW_NEXT;
		}
	}
	return parse_transport(ctx, pkt, ip->protocol, FW_IPV4);
}

/* A packet that is not where it goes to yet: policy would judge the wrong destination.
 * Type 0 is never followed (RFC 5095).
 */
FW_INLINE int routes_on(const __u8 *routing)
{
	return !routing[2] || routing[3];
}

/* Of the fragment header at `off`: returns 1 if the transport header follows, 0 for a later
 * fragment, -1 for one that cannot be. An atomic fragment is a whole packet (RFC 6946).
 */
FW_INLINE int parse_piece6(struct fw_pkt *pkt, const __u8 *header, __u32 off)
{
	__u32 word = bpf_ntohs(*(const __be16 *)(header + 2));
	__u32 until = pkt->l3_len + ETH_HEADER;

	if (pkt->flags & FW_PKT_FRAGMENT || off + 8 > until)
		return -1;
	if (!(word & (IPV6_OFFSET_MASK | IPV6_MORE_FRAGMENTS)))
		return 1;
	pkt->flags |= FW_PKT_FRAGMENT;
	if (!fw_note_piece(0, *(const __be32 *)(header + 4), word & IPV6_OFFSET_MASK,
			   until - off - 8, word & IPV6_MORE_FRAGMENTS))
		return -1;
	return !(word & IPV6_OFFSET_MASK);
}

/* Walks the extension headers from pkt->l4_off, as far as the packet has them. Returns the
 * transport protocol with pkt->l4_off moved to its header (FW_NO_TRANSPORT in a later fragment), or
 * -1.
 */
FW_OUTLINE int skip_extensions(fw_ctx *ctx, struct fw_pkt *pkt, __u32 next)
{
	__u32 off = pkt->l4_off;

	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		const __u8 *header = ctx_data(ctx) + (off & 0x1ff);

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT) {
			pkt->l4_off = (__u16)off;
			return (int)next;
		}
		/* Options for every hop come first, or are none (RFC 8200 section 4.3). */
		if ((void *)(header + 8) > ctx_data_end(ctx) || (next == IPPROTO_HOPOPTS && i))
			return -1;
		if (next == IPPROTO_ROUTING && routes_on(header))
			return -1;
		if (next == IPPROTO_FRAGMENT) {
			int transport = parse_piece6(pkt, header, off);

			if (transport <= 0) {
				pkt->l4_off = FW_NO_TRANSPORT;
				return transport;
			}
		}
		off += next == IPPROTO_FRAGMENT ? 8 : (header[1] + 1u) * 8;
		next = header[0];
		if (off > 256)
			return -1;
	}
	return -1;
}

/* In words as wide as the hash table loads them (see to_tuple4). */
FW_INLINE void copy_addr(struct fw_addr *to, const void *from)
{
	const __u64 *words = from;

	((__u64 *)to)[0] = words[0];
	((__u64 *)to)[1] = words[1];
}

FW_INLINE enum fw_verdict parse_ipv6(fw_ctx *ctx, struct fw_pkt *pkt)
{
	const struct ipv6hdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u8 next;

	if ((void *)(ip + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	pkt->l3_len = bpf_ntohs(ip->payload_len) + (__u32)sizeof(*ip);
	if (ip->version != 6 || (pkt->l3_len + ETH_HEADER > pkt->frame_len && !ctx_has_more(ctx)))
		return drop(pkt, FW_REASON_MALFORMED);

	copy_addr(&pkt->tuple.src, &ip->saddr);
	copy_addr(&pkt->tuple.dst, &ip->daddr);
	pkt->ttl = ip->hop_limit;
	pkt->l4_off = ETH_HEADER + sizeof(*ip);
	next = ip->nexthdr;
	if (next != IPPROTO_TCP && next != IPPROTO_UDP && next != IPPROTO_ICMPV6) {
		int proto = skip_extensions(ctx, pkt, next);

		if (proto < 0 || pkt->l4_off > pkt->l3_len + ETH_HEADER)
			return cut_off(pkt);
		if (!has_transport(pkt))
			return FW_NEXT;
		next = (__u8)proto;
	}
	return parse_transport(ctx, pkt, next, FW_IPV6);
}

FW_INLINE int is_tagged(const fw_ctx *ctx, __be16 type)
{
	return ctx_took_tag(ctx) || type == bpf_htons(ETH_P_8021Q) ||
	       type == bpf_htons(ETH_P_8021AD);
}

/* A tagged frame belongs to a VLAN interface. The stack takes it to the one of the outer tag,
 * whose own hooks judge what is inside, another tag included; where that one is not guarded,
 * nobody would.
 */
FW_OUTLINE int belongs_to_vlan(fw_ctx *ctx, struct fw_pkt *pkt, __be16 type)
{
	const __be16 *tag = ctx_data(ctx) + ETH_HEADER;
	struct fw_vlan vlan = {.ifindex = pkt->ifindex, .protocol = type};

	if (ctx_took_tag(ctx))
		ctx_taken_tag(ctx, &vlan);
	else if ((void *)(tag + 1) <= ctx_data_end(ctx))
		vlan.id = bpf_ntohs(*tag) & VLAN_ID_MASK;
	return bpf_map_lookup_elem(&fw_vlans, &vlan) ? FW_UP : drop(pkt, FW_REASON_MALFORMED);
}

/* Reads the link header: which family follows? */
FW_INLINE enum fw_verdict parse_link(fw_ctx *ctx, struct fw_pkt *pkt, __be16 *type)
{
	const struct fw_eth *eth;

	ctx_pull(ctx, HEADERS_MAX);
	eth = ctx_data(ctx);
	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return drop(pkt, FW_REASON_MALFORMED);
	pkt->frame_len = ctx_len(ctx);
	if (*(const __u8 *)eth & 1)
		pkt->flags |= FW_PKT_GROUP;
	*type = eth->type;
	if (is_tagged(ctx, *type))
		return (enum fw_verdict)belongs_to_vlan(ctx, pkt, *type);
	return FW_NEXT;
}
