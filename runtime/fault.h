/* SPDX-License-Identifier: MIT */
/* Failing a setup stage on purpose: only in test builds (make FAULT=1), by RACKER_FAULT=STAGE:ERRNO in the environment. */
#ifndef RUNTIME_FAULT_H
#define RUNTIME_FAULT_H

#include "base/err.h"

#ifdef RACKER_FAULT
/** fault_check() - Return: 0, or -errno with err filled when this stage is to fail; STAGE:kill ends the process as a crash would */
int fault_check(const char *stage, struct err *err);
#else
static inline int fault_check(const char *stage, struct err *err)
{
	(void)stage;
	(void)err;
	return 0;
}
#endif

#endif
