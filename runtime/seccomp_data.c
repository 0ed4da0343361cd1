// SPDX-License-Identifier: MIT
/* Puts the seccomp policies into the program; paths are relative to the root of the sources, where the compiler is run. */
#include "runtime/seccomp_data.h"

/* clang-format off */
#define EMBED(symbol, file)                                     \
	__asm__(".pushsection .rodata\n"                        \
		".global " #symbol ", " #symbol "_len\n"        \
		#symbol ":\n"                                   \
		"	.incbin \"" file "\"\n"                 \
		"0:\n"                                          \
		"	.balign 8\n"                            \
		#symbol "_len:\n"                               \
		"	.8byte 0b - " #symbol "\n"              \
		".popsection\n")
/* clang-format on */

EMBED(seccomp_data_default, "config/seccomp-default.json");
EMBED(seccomp_data_tty, "config/seccomp-tty.json");
