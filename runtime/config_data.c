// SPDX-License-Identifier: MIT
/* Puts the files of config/ into the program; paths are relative to the root of the sources, where the compiler is run. */
#include "runtime/config_data.h"

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

EMBED(config_boot_profile, "config/boot-profile.json");
EMBED(config_caps, "config/caps.json");
EMBED(config_seccomp_boot, "config/seccomp-boot.json");
EMBED(config_seccomp_default, "config/seccomp-default.json");
EMBED(config_seccomp_sync, "config/seccomp-sync.json");
EMBED(config_seccomp_tty, "config/seccomp-tty.json");
