/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is the same for an XDP frame and an skb: where the packet is. Included by
 * ctx_xdp.h or ctx_tc.h, after they say which of them fw_ctx is. CTX_SHARED makes a global
 * function (FW_SHARED) of that context, and CTX_CALL calls it.
 */
#pragma once

#include "bpf/lib/packet.h"

/* Loaded by hand: clang would take the 32-bit field for a 32-bit value, and a pointer of
 * 32 bits is none to the verifier (clang 14; seen as "R5 invalid mem access 'scalar'").
 */
FW_INLINE void *ctx_data(const fw_ctx *ctx)
{
	void *data;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(data)
		     : "r"(ctx), "i"(__builtin_offsetof(fw_ctx, data)));
	return data;
}

FW_INLINE void *ctx_data_end(const fw_ctx *ctx)
{
	void *end;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(end)
		     : "r"(ctx), "i"(__builtin_offsetof(fw_ctx, data_end)));
	return end;
}
