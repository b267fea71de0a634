/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Option lists: those of IPv4 (RFC 791 section 3.1) and TCP (RFC 9293 section 3.1) have the
 * same form, kind and length and value, but for two kinds of a single byte.
 */
#pragma once

#include "bpf/lib/scratch.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define TCP_OPTION_MSS 2
#define IP_OPTION_LOOSE_ROUTE 131
#define IP_OPTION_STRICT_ROUTE 137

#define OPTION_MISSING 0xffu

/* Where in the list of `length` bytes is the first option of this kind? */
FW_SHARED __u32 fw_find_option(const struct fw_options *options, __u32 length, __u32 kind)
{
	__u32 at = 0;

	if (!options || length > FW_OPTIONS_BYTES)
		return OPTION_MISSING;
	for (__u32 i = 0; i < FW_OPTIONS_BYTES; i++) {
		__u8 found, size;

		if (at + 2 > length || at > FW_OPTIONS_BYTES - 2)
			return OPTION_MISSING;
		found = options->bytes[at];
		if (found == kind)
			return at;
		if (found == OPTION_END)
			return OPTION_MISSING;
		size = found == OPTION_NOP ? 1 : options->bytes[at + 1];
		if (found != OPTION_NOP && size < 2)
			return OPTION_MISSING;
		at += size;
	}
	return OPTION_MISSING;
}
