/* SPDX-License-Identifier: MIT */
/* What a container may do at most: capabilities that we have ourselves, and the system call policy that goes with those it gets. */
#ifndef RUNTIME_POLICY_H
#define RUNTIME_POLICY_H

#include "runtime/foreground.h"
#include "runtime/launch.h"
#include "runtime/seccomp.h"

/** policy_load() - fill @launch with both. @ret: owns the filters; must live as long as @launch. Return: 0 or -errno */
int policy_load(const struct foreground_request *req, struct launch_request *launch,
		struct seccomp_filters *ret, struct err *err);

#endif
