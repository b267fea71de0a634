/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Accounts: what was counted, per CPU. One account stands for one combination of
 * rule, door and zone pair (or reason), so a packet is counted by one increment
 * and the daemon sums up per rule, door, pair and reason.
 */
#pragma once

#include "maps/abi.h"

/* fw_accounts is an array of chunks, made as a policy needs them. */
#define FW_ACCOUNTS_PER_CHUNK 4096u
#define FW_ACCOUNT_CHUNKS 1024u

/* Packets as on the wire (a GSO packet counts its segments), bytes of whole frames. */
struct fw_account {
	__u64 packets;
	__u64 bytes;
};
FW_ASSERT_LAYOUT(struct fw_account, 16);
