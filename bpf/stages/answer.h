/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* answer: tell the sender why its packet does not go on (RFC 792, RFC 1191, RFC 4443).
 *
 * Runs at TC only, on a packet that nothing has been written to, so the error quotes the
 * packet that the sender sent. It goes back the way the packet came.
 */
#pragma once

#include "bpf/lib/tuple.h"

#define ICMP_LIFETIME 64

struct fw_error4 {
	struct iphdr ip;
	__u8 type;
	__u8 code;
	__u16 check;
	__be16 unused;
	__be16 mtu;
};

struct fw_error6 {
	struct ipv6hdr ip;
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 mtu;
};

/* What of the packet is quoted: its IP header and 8 bytes, or 20 where it has them: an
 * unfinished TCP checksum must not be cut off (the kernel refuses to).
 */
#define QUOTE4_MIN 28u
#define QUOTE4 40u
#define QUOTE6_MIN 48u
#define QUOTE6 60u

/* Sums 32-bit words [from, to), as far as the packet goes. */
FW_INLINE __u64 sum_words(fw_ctx *ctx, const __u32 *words, __u32 from, __u32 to)
{
	void *end = ctx_data_end(ctx);
	__u64 sum = 0;

	for (__u32 i = from; i < to; i++) {
		if ((void *)(words + i + 1) > end)
			break;
		sum += words[i];
	}
	return sum;
}

/* Back to where the packet came from; with BPF_F_INGRESS, to this host itself. */
FW_INLINE int turn_back(fw_ctx *ctx, __u64 flags)
{
	struct ethhdr *eth = ctx_data(ctx);
	__u8 mac[ETH_ALEN];

	if ((void *)(eth + 1) > ctx_data_end(ctx))
		return TC_DROP;
	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
	return (int)bpf_redirect(ctx->ifindex, flags);
}

/* What an error says, and as whom. */
struct fw_said {
	struct fw_addr from;
	__u8 type;
	__u8 code;
	__u16 mtu;
};

/* Puts the error before the packet. Returns 0 where there is none to be made. */
FW_INLINE int say4(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_said *said)
{
	__u32 quote = pkt->l3_len >= QUOTE4 ? QUOTE4 : QUOTE4_MIN;
	struct fw_error4 *error;
	struct iphdr *ip = ctx_data(ctx) + ETH_HEADER;
	__u64 sum = 0;
	__u32 *words;

	if ((void *)(ip + 1) > ctx_data_end(ctx) || ip->ihl != 5 || !said->from.w[3])
		return 0;
	if (!has_transport(pkt))
		return 0; /* RFC 1812 section 4.3.2.7 */
	if (said->mtu && !(ip->frag_off & bpf_htons(IP_DONT_FRAGMENT)))
		return 0; /* the sender asked for no error: RFC 1191 section 3 */
	if (bpf_skb_change_tail(ctx, ETH_HEADER + quote, 0) ||
	    bpf_skb_adjust_room(ctx, sizeof(*error), BPF_ADJ_ROOM_MAC, 0))
		return 0;
	error = ctx_data(ctx) + ETH_HEADER;
	if ((void *)(error + 1) + QUOTE4_MIN > ctx_data_end(ctx))
		return 0;
	__builtin_memset(error, 0, sizeof(*error));
	error->ip.version = 4;
	error->ip.ihl = 5;
	error->ip.tos = 0xc0; /* internetwork control, RFC 1812 section 4.3.2.5 */
	error->ip.tot_len = bpf_htons((__u16)(sizeof(*error) + quote));
	error->ip.ttl = ICMP_LIFETIME;
	error->ip.protocol = IPPROTO_ICMP;
	error->ip.saddr = said->from.w[3];
	error->ip.daddr = pkt->tuple.src.w[3];
	error->type = said->type;
	error->code = said->code;
	error->mtu = bpf_htons(said->mtu);
	words = (__u32 *)error;
	for (__u32 i = 0; i < sizeof(error->ip) / 4; i++)
		sum += words[i];
	error->ip.check = (__u16)~csum_fold(sum);
	sum = sum_words(ctx, words, sizeof(error->ip) / 4, (sizeof(*error) + QUOTE4) / 4);
	error->check = (__u16)~csum_fold(sum);
	return 1;
}

FW_INLINE int say6(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_said *said)
{
	__u32 quote = pkt->l3_len >= QUOTE6 ? QUOTE6 : QUOTE6_MIN;
	struct fw_error6 *error;
	__u64 sum;
	__u32 *words;

	if (addr_is_zero(&said->from) || pkt->l3_len < QUOTE6_MIN)
		return 0;
	if (bpf_skb_change_tail(ctx, ETH_HEADER + quote, 0) ||
	    bpf_skb_adjust_room(ctx, sizeof(*error), BPF_ADJ_ROOM_MAC, 0))
		return 0;
	error = ctx_data(ctx) + ETH_HEADER;
	if ((void *)(error + 1) + QUOTE6_MIN > ctx_data_end(ctx))
		return 0;
	__builtin_memset(error, 0, sizeof(*error));
	error->ip.version = 6;
	error->ip.payload_len = bpf_htons((__u16)(8 + quote));
	error->ip.nexthdr = IPPROTO_ICMPV6;
	error->ip.hop_limit = ICMP_LIFETIME;
	__builtin_memcpy(&error->ip.saddr, &said->from, sizeof(error->ip.saddr));
	__builtin_memcpy(&error->ip.daddr, &pkt->tuple.src, sizeof(error->ip.daddr));
	error->type = said->type;
	error->code = said->code;
	error->mtu = bpf_htonl(said->mtu);
	/* Pseudo-header: addresses, length, next header (RFC 8200 section 8.1). */
	sum = bpf_htonl(8 + quote) + (__u64)bpf_htonl(IPPROTO_ICMPV6);
	words = (__u32 *)error;
	sum += sum_words(ctx, words, 2, (sizeof(*error) + QUOTE6) / 4);
	error->check = (__u16)~csum_fold(sum);
	return 1;
}

FW_INLINE int say(fw_ctx *ctx, const struct fw_pkt *pkt, const struct fw_said *said)
{
	return pkt->family == FW_IPV4 ? say4(ctx, pkt, said) : say6(ctx, pkt, said);
}

FW_INLINE int expired(fw_ctx *ctx, const struct fw_pkt *pkt, struct fw_said *said)
{
	said->type = pkt->family == FW_IPV4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEED;
	return say(ctx, pkt, said);
}

FW_INLINE int too_big(fw_ctx *ctx, const struct fw_pkt *pkt, struct fw_said *said)
{
	if (!pkt->flow)
		return 0;
	said->mtu = pkt->flow->hop.mtu;
	said->type = pkt->family == FW_IPV4 ? ICMP_DEST_UNREACH : ICMPV6_PKT_TOOBIG;
	said->code = pkt->family == FW_IPV4 ? ICMP_FRAG_NEEDED : 0;
	return say(ctx, pkt, said);
}

/* As the destination itself says it, like the RST beside it. */
FW_INLINE int unreachable(fw_ctx *ctx, const struct fw_pkt *pkt)
{
	struct fw_said said = {
		.from = pkt->tuple.dst,
		.type = pkt->family == FW_IPV4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH,
		.code = pkt->family == FW_IPV4 ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH,
	};

	return say(ctx, pkt, &said);
}

/* A packet too large or too old: the error of the router that this host is. */
FW_OUTLINE int answer(fw_ctx *ctx, const struct fw_pkt *pkt)
{
	const struct fw_iface *iface = bpf_map_lookup_elem(&fw_ifaces, &pkt->ifindex);
	struct fw_said said = {};
	int made;

	if (!iface || pkt->origin == FW_FROM_HOST || pkt->flags & FW_PKT_ICMP_ERROR)
		return TC_DROP;
	if (pkt->family == FW_IPV6)
		said.from = iface->addr6;
	else if (iface->addr4)
		addr_from_ipv4(&said.from, iface->addr4);
	made = pkt->reason == FW_REASON_MTU_EXCEEDED ? too_big(ctx, pkt, &said)
						     : expired(ctx, pkt, &said);
	return made ? turn_back(ctx, 0) : TC_DROP;
}
