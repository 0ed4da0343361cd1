// SPDX-License-Identifier: MIT
/* What a container may do at most (see policy.h). */
#include "runtime/policy.h"

#include "runtime/caps.h"
#include "runtime/fault.h"

int policy_load(const struct foreground_request *req, struct launch_request *launch,
		struct seccomp_filters *ret, struct err *err)
{
	int r = fault_check("filters", err);

	if (r == 0)
		r = caps_read_bounding(&launch->caps, err);
	if (r < 0 || !req->spec->seccomp_default)
		return r;
	launch->filters = ret;
	return seccomp_default_filters(req->cache_dir, req->spec->caps.bounding & launch->caps, ret,
				       err);
}
