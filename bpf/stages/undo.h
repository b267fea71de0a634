/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* undo: the flow that a packet opened and then could not go on, at TC. */
#pragma once

#include "bpf/stages/admit.h"

FW_OUTLINE int forget_unused(struct fw_pkt *pkt)
{
	__u32 zero = 0;
	struct fw_scratch *s = bpf_map_lookup_elem(&fw_scratch, &zero);

	if (!s || !pkt->flow || pkt->flow->packets || !(pkt->flow->flags & FW_FLOW_ORIGINAL))
		return 0;
	partner_key(&s->search, pkt->flow, &pkt->tuple);
	forget(pkt, s);
	pkt->flow = 0;
	return 0;
}
