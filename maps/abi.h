/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The dialect that kernel and user space share: fixed-width types, byte-order
 * types, and the assertion that a layout is the same on both sides.
 *
 * Rules for every header in maps/: it compiles as C (clang -target bpf) and as
 * C++20; no bool, no bitfield, no enum as a field type; padding is spelled out.
 */
#pragma once

#include <linux/types.h>

/* Part of the pin directory's name: a daemon never adopts maps of another
 * layout. Raise it with every change to a struct in maps/.
 */
#define FW_ABI_VERSION 2

#ifdef __cplusplus
#include <type_traits>
/* A map key is hashed as raw bytes, so a padding hole would be a lookup bug. */
#define FW_ASSERT_LAYOUT(type, bytes)                                                              \
	static_assert(sizeof(type) == (bytes));                                                    \
	static_assert(std::has_unique_object_representations_v<type>)
#else
#define FW_ASSERT_LAYOUT(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed size")
#endif
