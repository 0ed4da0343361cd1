// SPDX-License-Identifier: MIT
/* Making directories (see host_dir.h). */
#include "provision/host_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/quote.h"

int host_dir_make(const char *path, struct err *err)
{
	AUTO_FREE char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return err_oom(err);
	if (lstat(path, &st) == 0)
		return 0;
	for (char *slash = copy + strspn(copy, "/");; slash++) {
		char was;

		slash += strcspn(slash, "/");
		was = *slash;
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_sys(err, ERR_SYSTEM, "make directory %s", QUOTE(copy));
		*slash = was;
		if (was == '\0')
			return 0;
	}
}
