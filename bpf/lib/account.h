/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where an account's counts of this CPU are. */
#pragma once

#include "bpf/maps.bpf.h"

FW_INLINE struct fw_account *account_at(__u32 account)
{
	__u32 chunk = account / FW_ACCOUNTS_PER_CHUNK, index = account % FW_ACCOUNTS_PER_CHUNK;
	void *accounts = bpf_map_lookup_elem(&fw_accounts, &chunk);

	return accounts ? bpf_map_lookup_elem(accounts, &index) : 0;
}
