/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs say to a packet that fw_explain was run on: what they would do if it
 * came and were the first of its flow.
 */
#pragma once

#include "maps/door.h"
#include "maps/flow.h"
#include "maps/policy.h"
#include "maps/tuple.h"

enum fw_explained {
	FW_LEFT_ALONE, /* to the stack, unjudged: not IP, DHCP, no policy in force */
	FW_ALLOWED,
	FW_DENIED,
};

/* What fw_explain is asked with: __sk_buff.ifindex is the hook's interface, and this one of
 * __sk_buff.cb[] is the origin (enum fw_origin).
 */
#define FW_EXPLAIN_ORIGIN 0

struct fw_explanation {
	struct fw_ident src;
	struct fw_ident dst;	    /* before translation */
	struct fw_door door;	    /* selector 0: none */
	struct fw_tuple translated; /* all zero: it did not get that far */
	__u32 account;		    /* where it would be counted */
	__u32 reason;		    /* enum fw_reason */
	__u8 verdict;		    /* enum fw_explained */
	__u8 admin;		    /* host.admin admits it */
	__u8 action;		    /* enum fw_flow_action */
	__u8 pad;
};
FW_ASSERT_LAYOUT(struct fw_explanation, 2 * 12 + 20 + 40 + 12);
