/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* reset: the answer to a denied packet, at TC. A TCP segment gets the RST that a host
 * without that connection sends (RFC 9293 section 3.10.7.1), anything else the port
 * unreachable that nftables' `reject` sends. Both come from the address that was asked.
 */
#pragma once

#include "bpf/stages/answer.h"

struct fw_reset4 {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct fw_reset6 {
	struct ipv6hdr ip;
	struct tcphdr tcp;
};

#define RESET_WORDS (sizeof(struct tcphdr) / 4)

FW_INLINE __u64 sum_header(const void *header, __u32 words)
{
	const __u32 *word = header;
	__u64 sum = 0;

	for (__u32 i = 0; i < words; i++)
		sum += word[i];
	return sum;
}

/* `in` acknowledges something: the RST continues there. Else it acknowledges all of `in`,
 * SYN and FIN included.
 */
FW_INLINE void fill_reset(struct tcphdr *out, const struct tcphdr *in, __u32 payload)
{
	out->source = in->dest;
	out->dest = in->source;
	out->doff = RESET_WORDS;
	out->rst = 1;
	if (in->ack) {
		out->seq = in->ack_seq;
		return;
	}
	out->ack = 1;
	out->ack_seq = bpf_htonl(bpf_ntohl(in->seq) + payload + in->syn + in->fin);
}

/* Whether the checksum field is finished here or by whoever sends the packet was decided
 * by its sender, and only the kernel knows. So the field gets the folded sum of the
 * pseudo-header, as the unfinished one has it, and the kernel changes a finished one by
 * what is missing: field and sum are each other's complement, hence twice `pseudo`.
 */
FW_INLINE int finish_reset(fw_ctx *ctx, const struct fw_pkt *pkt, __u16 pseudo, __u64 header)
{
	__u32 missing = csum_fold(2ull * pseudo + header);

	return bpf_skb_store_bytes(ctx, pkt->l4_off + 16u, &pseudo, sizeof(pseudo), 0) ||
	       bpf_l4_csum_replace(ctx, pkt->l4_off + 16u, 0, missing, 0);
}

FW_INLINE int reset4(fw_ctx *ctx, const struct fw_pkt *pkt, const struct tcphdr *in, __u32 payload)
{
	struct fw_reset4 out = {};
	__u64 addresses = (__u64)pkt->tuple.src.w[3] + pkt->tuple.dst.w[3];

	if (pkt->l4_off != ETH_HEADER + sizeof(out.ip))
		return 0;
	fill_reset(&out.tcp, in, payload);
	out.ip.version = 4;
	out.ip.ihl = 5;
	out.ip.tot_len = bpf_htons(sizeof(out));
	out.ip.frag_off = bpf_htons(IP_DONT_FRAGMENT);
	out.ip.ttl = ICMP_LIFETIME;
	out.ip.protocol = IPPROTO_TCP;
	out.ip.saddr = pkt->tuple.dst.w[3];
	out.ip.daddr = pkt->tuple.src.w[3];
	out.ip.check = (__u16)~csum_fold(sum_header(&out.ip, sizeof(out.ip) / 4));
	return !bpf_skb_change_tail(ctx, ETH_HEADER + sizeof(out), 0) &&
	       !bpf_skb_store_bytes(ctx, ETH_HEADER, &out, sizeof(out), 0) &&
	       !finish_reset(
		       ctx, pkt,
		       csum_fold(addresses + bpf_htonl(IPPROTO_TCP) + bpf_htonl(sizeof(out.tcp))),
		       sum_header(&out.tcp, RESET_WORDS));
}

FW_INLINE int reset6(fw_ctx *ctx, const struct fw_pkt *pkt, const struct tcphdr *in, __u32 payload)
{
	struct fw_reset6 out = {};

	if (pkt->l4_off != ETH_HEADER + sizeof(out.ip))
		return 0;
	fill_reset(&out.tcp, in, payload);
	out.ip.version = 6;
	out.ip.payload_len = bpf_htons(sizeof(out.tcp));
	out.ip.nexthdr = IPPROTO_TCP;
	out.ip.hop_limit = ICMP_LIFETIME;
	__builtin_memcpy(&out.ip.saddr, &pkt->tuple.dst, sizeof(out.ip.saddr));
	__builtin_memcpy(&out.ip.daddr, &pkt->tuple.src, sizeof(out.ip.daddr));
	return !bpf_skb_change_tail(ctx, ETH_HEADER + sizeof(out), 0) &&
	       !bpf_skb_store_bytes(ctx, ETH_HEADER, &out, sizeof(out), 0) &&
	       !finish_reset(ctx, pkt,
			     csum_fold(sum_header(&out.ip.saddr, 8) + bpf_htonl(IPPROTO_TCP) +
				       bpf_htonl(sizeof(out.tcp))),
			     sum_header(&out.tcp, RESET_WORDS));
}

/* A RST is not answered, nor a segment behind IP options. */
FW_INLINE int reset(fw_ctx *ctx, const struct fw_pkt *pkt)
{
	__u32 ends = pkt->l3_len + ETH_HEADER;
	struct tcphdr in;

	if (pkt->tcp_flags & FW_TCP_RST || bpf_skb_load_bytes(ctx, pkt->l4_off, &in, sizeof(in)))
		return 0;
	ends -= pkt->l4_off + in.doff * 4u;
	return pkt->family == FW_IPV4 ? reset4(ctx, pkt, &in, ends) : reset6(ctx, pkt, &in, ends);
}

/* The host's own programs are told at the ingress of the interface they sent by. What only
 * leaves here came from an interface that is not fwd's.
 */
FW_OUTLINE int refuse(fw_ctx *ctx, const struct fw_pkt *pkt)
{
	int made;

	if (pkt->flags & (FW_PKT_TRANSIT | FW_PKT_FRAGMENT) || !take_answer(pkt, ANSWER_COST_NS))
		return TC_DROP;
	made = pkt->tuple.proto == IPPROTO_TCP ? reset(ctx, pkt) : unreachable(ctx, pkt);
	if (!made)
		return TC_DROP;
	ctx->mark = FW_MARK_ANSWER;
	return turn_back(ctx, pkt->origin == FW_FROM_HOST ? BPF_F_INGRESS : 0);
}
