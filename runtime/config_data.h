/* SPDX-License-Identifier: MIT */
/* What runtime/ reads of config/, as it is, in the program. */
#ifndef RUNTIME_CONFIG_DATA_H
#define RUNTIME_CONFIG_DATA_H

#include <stdint.h>

#define CONFIG_DATA(name)                                               \
	__attribute__((visibility("hidden"))) extern const char name[]; \
	__attribute__((visibility("hidden"))) extern const uint64_t name##_len

/* Texts without a NUL, and their lengths in bytes. */
CONFIG_DATA(config_boot_profile); /* config/boot-profile.json */
CONFIG_DATA(config_caps); /* config/caps.json */
CONFIG_DATA(config_seccomp_boot); /* config/seccomp-boot.json */
CONFIG_DATA(config_seccomp_default); /* config/seccomp-default.json */
CONFIG_DATA(config_seccomp_sync); /* config/seccomp-sync.json */
CONFIG_DATA(config_seccomp_tty); /* config/seccomp-tty.json */

#endif
