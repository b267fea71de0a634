/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why a packet was not let through: the one list from which the kernel's enum,
 * the metric label, `fwctl` and docs/reasons.md are made.
 */
#pragma once

#include "maps/abi.h"

/*   name           what happened, as an operator reads it */
#define FW_REASONS(X)                                                                              \
	X(NONE, "let through")                                                                     \
	X(NO_RULE, "no rule allows this flow")                                                     \
	X(NOT_PUBLISHED, "no door is published for this port")                                     \
	X(BLOCKED, "a block rule denies this flow")                                                \
	X(BANNED, "the source is banned")                                                          \
	X(MARTIAN, "the source address cannot come from this interface")                           \
	X(UNMANAGED, "the policy names neither this container nor its zone")                       \
	X(RATE_LIMITED, "the source is over the rule's rate")                                      \
	X(FLOW_LIMIT, "no room for another flow")                                                  \
	X(INVALID_STATE, "the packet belongs to no flow and may not start one")                    \
	X(MALFORMED, "a header is truncated, inconsistent or not understood")                      \
	X(FRAGMENT, "a fragment whose first was not seen, or that is forged")                      \
	X(NAT_EXHAUSTED, "no port is free to translate the flow to")                               \
	X(NO_ROUTE, "there is no route or no backend for the destination")                         \
	X(TTL_EXPIRED, "the TTL or hop limit ran out")                                             \
	X(MTU_EXCEEDED, "the packet does not fit the next link")                                   \
	X(PANIC, "only host.admin passes until `fwctl panic --off`")                               \
	X(INTERNAL, "fwd could not judge the packet; please report it")

#define FW_REASON_ENUM(name, help) FW_REASON_##name,
enum fw_reason {
	FW_REASONS(FW_REASON_ENUM) FW_REASON_COUNT
};
#undef FW_REASON_ENUM
