/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* struct fw_scratch: what judging the first packet of a flow needs beyond the stack's
 * 512 bytes. One per CPU: the hooks run with bottom halves off and never nest.
 */
#pragma once

#include "bpf/lib/kernel.h"
#include "maps/door.h"
#include "maps/flow.h"
#include "maps/policy.h"
#include "maps/topology.h"

struct fw_scratch {
	/* the original direction, as the first packet has it, and where it came in */
	struct fw_tuple original;
	struct fw_iface iface;
	__u32 in_ifindex;
	__u8 origin; /* enum fw_origin */
	__u8 group;  /* the destination is a group or broadcast address: no flow is kept */
	__u8 ping;
	__u8 pad0;

	/* classify */
	struct fw_ident src;
	struct fw_ident dst;
	struct fw_door door; /* selector 0: none */
	struct fw_ident backend;

	/* decide */
	__u32 account;
	__u32 admin;

	/* which flow it would open */
	__u8 action;   /* enum fw_flow_action */
	__u8 switched; /* it stays on its bridge */
	__u8 pad1[2];

	/* route, reserve: the tuple after translation, and its answer */
	struct fw_tuple translated;
	struct fw_tuple answer;
	struct fw_hop hop;
	struct fw_flow forward;
	struct fw_flow reverse;
	struct fw_tuple search; /* a candidate's answer, while a port is sought */
	__u32 masquerade;
	__u32 reserved;
	struct bpf_fib_lookup fib;
	union {
		struct fw_policy_key policy;
		struct fw_door_key door;
		struct fw_member_key member;
	} key;
};
