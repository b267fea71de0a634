/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* explain: what would the hooks do with this packet, if it were the first of its flow?
 *
 * The daemon runs it on packets that it makes up (`fwctl explain`). It is attached nowhere.
 * The packet goes through the stages that judge, and stops before those that write: no flow
 * is looked up, opened or counted, no port reserved.
 */
#include "bpf/lib/ctx_tc.h"
#include "bpf/lib/pipeline.h"
#include "maps/explanation.h"

/* What the daemon reads back of the last question. */
struct fw_explanation fw_explanation __weak = {};

FW_INLINE enum fw_verdict about_error(fw_ctx *ctx, struct fw_pkt *pkt)
{
	(void)ctx;
	(void)pkt;
	return FW_UP;
}

FW_INLINE enum fw_verdict about_neighbour(fw_ctx *ctx, struct fw_pkt *pkt)
{
	(void)ctx;
	(void)pkt;
	return FW_UP;
}

FW_INLINE enum fw_verdict consider(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s)
{
	return guard(ctx, pkt) ?: plan_flow(ctx, pkt, s);
}

FW_INLINE enum fw_verdict consider_ipv4(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s)
{
	pkt->family = FW_IPV4;
	pkt->tuple.family = FW_IPV4;
	return parse_ipv4(ctx, pkt) ?: consider(ctx, pkt, s);
}

FW_INLINE enum fw_verdict consider_ipv6(fw_ctx *ctx, struct fw_pkt *pkt, struct fw_scratch *s)
{
	pkt->family = FW_IPV6;
	pkt->tuple.family = FW_IPV6;
	return parse_ipv6(ctx, pkt) ?: consider(ctx, pkt, s);
}

FW_INLINE __u8 explained(enum fw_verdict verdict)
{
	if (verdict == FW_DROP)
		return FW_DENIED;
	return verdict == FW_UP ? FW_LEFT_ALONE : FW_ALLOWED;
}

FW_INLINE void tell(const struct fw_pkt *pkt, const struct fw_scratch *s, enum fw_verdict verdict)
{
	struct fw_explanation *told = &fw_explanation;

	told->verdict = explained(verdict);
	told->reason = pkt->reason;
	told->account = pkt->account;
	if (verdict == FW_DROP && pkt->active)
		told->account = account_of_denial(pkt);
	told->src = s->src;
	told->dst = s->dst;
	told->door = s->door;
	told->translated = s->translated;
	told->admin = !!s->admin;
	told->action = s->action;
}

SEC("tc")
int fw_explain(struct __sk_buff *ctx)
{
	struct fw_pkt pkt = {.origin = (__u8)ctx->cb[FW_EXPLAIN_ORIGIN], .ifindex = ctx->ifindex};
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);
	enum fw_verdict verdict;
	__be16 type = 0;

	if (!s)
		return TC_DROP;
	__builtin_memset(s, 0, sizeof(*s));
	verdict = read_active(&pkt) ?: parse_link(ctx, &pkt, &type);
	if (!verdict && type == bpf_htons(ETH_P_IP))
		verdict = consider_ipv4(ctx, &pkt, s);
	else if (!verdict && type == bpf_htons(ETH_P_IPV6))
		verdict = consider_ipv6(ctx, &pkt, s);
	else if (!verdict)
		verdict = FW_UP;

	tell(&pkt, s, verdict);
	return TC_NEXT;
}

char LICENSE[] SEC("license") __weak = "Dual BSD/GPL";
