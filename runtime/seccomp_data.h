/* SPDX-License-Identifier: MIT */
/* The seccomp policies of config/, as they are, in the program. */
#ifndef RUNTIME_SECCOMP_DATA_H
#define RUNTIME_SECCOMP_DATA_H

/* Texts without a NUL: from _start up to _end. */
__attribute__((visibility("hidden"))) extern const char seccomp_data_default_start[],
	seccomp_data_default_end[]; /* config/seccomp-default.json */
__attribute__((visibility("hidden"))) extern const char seccomp_data_tty_start[],
	seccomp_data_tty_end[]; /* config/seccomp-tty.json */

#endif
