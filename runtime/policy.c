// SPDX-License-Identifier: MIT
/* What a container may do at most (see policy.h). */
#include "runtime/policy.h"

#include "runtime/caps.h"
#include "runtime/fault.h"

int policy_load(const struct foreground_request *req, struct launch_request *launch,
		struct seccomp_filters *ret, struct err *err)
{
	struct seccomp_request seccomp = { .policy = req->spec->boot ? SECCOMP_POLICY_BOOT :
								       SECCOMP_POLICY_DEFAULT };
	int r = fault_check("filters", err);

	if (r == 0)
		r = caps_read_bounding(&launch->caps, err);
	if (r < 0 || !req->spec->seccomp_default)
		return r;
	launch->filters = ret;
	seccomp.bounding_caps = req->spec->caps.bounding & launch->caps;
	return seccomp_filters_load(req->cache_dir, &seccomp, ret, err);
}
