/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is in force now: read once per packet and carried. */
#pragma once

#include "maps/flow.h"
#include "maps/limit.h"
#include "maps/policy.h"

/* Inner maps of a generation sit at this slot of every map-in-map. The daemon
 * fills the slot that is not active, then stores `current` (8 bytes, one store),
 * then waits for an RCU grace period before it fills the old slot again.
 */
#define FW_SLOTS 2

/* fw_active.current: generation << 1 | slot. Generation 0: no policy yet, and
 * everything passes to the stack.
 */
#define FW_CURRENT(generation, slot) (((__u64)(generation) << 1) | (slot))

enum fw_generation_flags {
	FW_HOST_EGRESS = 1 << 0, /* host.egress: allow */
	FW_REJECT = 1 << 1,	 /* deny: reject */
};

/* Parameters of one generation. */
struct fw_generation {
	__u64 timeout_ns[FW_FLOW_STATES];
	__u32 admit_levels; /* FW_LEVEL_BIT of the FW_ADMIT entries */
	__u32 block_levels;
	__u32 allow_levels;
	__u32 door_levels;    /* likewise for entries to a door (their `to` is level 0) */
	__u32 zones;	      /* how many, the built-in ones included */
	__u32 denied;	      /* account of the denied packets of zone pair (0, 0) */
	__u32 egress_account; /* host.egress: + to_zone */
	__u32 flags;	      /* enum fw_generation_flags */
	__u32 max_flows;      /* of all sources together; 0: no limit */
	__u32 max_per_source; /* likewise of one source */
	struct fw_limit syn;  /* new TCP flows over all doors; cost_ns 0: no limit */
};
FW_ASSERT_LAYOUT(struct fw_generation, 80 + 40 + 24);

/* Denied packets: denied + (from_zone * zones + to_zone) * FW_REASON_COUNT + reason; but what
 * a block rule denies is counted at that rule's own account.
 */

/* The single element of fw_active; the daemon writes it through mmap. */
struct fw_active {
	__u64 current;
	__u32 topology; /* raised when routes, neighbours, links or endpoints change */
	__u32 pad;
	__u64 adopt_until_ns; /* until then TCP flows may be picked up mid-stream */
	struct fw_generation generation[FW_SLOTS];
};
FW_ASSERT_LAYOUT(struct fw_active, 24 + 2 * 144);
