/* SPDX-License-Identifier: MIT */
/* Names of system calls that a distribution's libseccomp may not know yet. */
#ifndef RUNTIME_SECCOMP_NEWER_H
#define RUNTIME_SECCOMP_NEWER_H

#include <stdint.h>

/* From this number on a system call has the same number on every machine but MIPS and Alpha (x32's is or-ed with its bit). */
#define SECCOMP_NEWER_UNIFIED 424

/** seccomp_newer_name() - of a number of the common numbering; NULL if it is not in the table */
const char *seccomp_newer_name(uint32_t number);

#endif
