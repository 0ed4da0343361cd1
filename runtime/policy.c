// SPDX-License-Identifier: MIT
/* What a container may do at most (see policy.h). */
#include "runtime/policy.h"

#include "runtime/boot_spec.h"
#include "runtime/caps.h"
#include "runtime/fault.h"

int policy_load(const struct foreground_request *req, struct launch_request *launch,
		struct seccomp_filters *ret, struct err *err)
{
	const struct boot_spec *boot = req->spec->boot;
	struct seccomp_request seccomp = { .policy = boot ? SECCOMP_POLICY_BOOT :
							    SECCOMP_POLICY_DEFAULT,
					   .suppress_sync = boot && boot->suppress_sync };
	int r = fault_check("filters", err);

	if (r == 0)
		r = caps_read_bounding(&launch->caps, err);
	if (r < 0 || !req->spec->seccomp_default)
		return r;
	launch->filters = ret;
	seccomp.bounding_caps = req->spec->caps.bounding & launch->caps;
	return seccomp_filters_load(req->cache_dir, &seccomp, ret, err);
}
