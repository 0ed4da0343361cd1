/* SPDX-License-Identifier: MIT */
/* The seccomp policies of config/, as they are, in the program. */
#ifndef RUNTIME_SECCOMP_DATA_H
#define RUNTIME_SECCOMP_DATA_H

#include <stdint.h>

#define SECCOMP_DATA(name)                                              \
	__attribute__((visibility("hidden"))) extern const char name[]; \
	__attribute__((visibility("hidden"))) extern const uint64_t name##_len

/* Texts without a NUL, and their lengths in bytes. */
SECCOMP_DATA(seccomp_data_default); /* config/seccomp-default.json */
SECCOMP_DATA(seccomp_data_tty); /* config/seccomp-tty.json */

#endif
