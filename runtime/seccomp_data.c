// SPDX-License-Identifier: MIT
/* Puts the seccomp policies into the program; paths are relative to the root of the sources, where the compiler is run. */
#include "runtime/seccomp_data.h"

#define EMBED(symbol, file)                                                        \
	__asm__(".pushsection .rodata\n"                                           \
		".global " #symbol "_start, " #symbol "_end\n" #symbol "_start:\n" \
		".incbin \"" file "\"\n" #symbol "_end:\n"                         \
		".popsection\n")

EMBED(seccomp_data_default, "config/seccomp-default.json");
EMBED(seccomp_data_tty, "config/seccomp-tty.json");
