// SPDX-License-Identifier: MIT
/* The table of system calls after those of libseccomp 2.5.4, the oldest that is built against. */
#include "runtime/seccomp_newer.h"

#include <stddef.h>

#include "base/cleanup.h"

#define FIRST 451

/* Linux 6.5 to 6.17. Without them a policy that allows fchmodat2 would refuse it, and with it a new C library's chmod. */
static const char *const names[] = {
	"cachestat",	     "fchmodat2",	  "map_shadow_stack", "futex_wake",
	"futex_wait",	     "futex_requeue",	  "statmount",	      "listmount",
	"lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
	"setxattrat",	     "getxattrat",	  "listxattrat",      "removexattrat",
	"open_tree_attr",    "file_getattr",	  "file_setattr",
};

const char *seccomp_newer_name(uint32_t number)
{
	return number >= FIRST && number - FIRST < ARRAY_SIZE(names) ? names[number - FIRST] : NULL;
}
