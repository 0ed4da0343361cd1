/* SPDX-License-Identifier: MIT */
/* What turns the specification of a command into that of a machine in which the command is run. */
#ifndef PROVISION_MACHINE_SPEC_H
#define PROVISION_MACHINE_SPEC_H

#include <stdbool.h>

#include "runtime/container_spec.h"

enum suppress_sync {
	SUPPRESS_SYNC_AUTO, /* where all that can be written in the machine is volatile */
	SUPPRESS_SYNC_YES,
	SUPPRESS_SYNC_NO,
};

struct machine_request {
	bool command_is_init; /* argv is the machine's own init */
	bool no_command; /* nothing is run in it: argv is dropped */
	const char *profile; /* of config/boot-profile.json; NULL: "default" */
	char *const *credentials; /* --set-credential: NAME:VALUE; may be NULL */
	enum suppress_sync suppress_sync;
	const char *
		journal_dir; /* of the host, where the machine's journal is kept; NULL: in the machine alone */
};

/** machine_spec_check() - what is wrong whatever the image is. Return: 0; -EINVAL/ERR_USAGE */
int machine_spec_check(const struct machine_request *req, struct err *err);

/**
 * machine_spec_apply() - @spec, built for the command with environment, user and so on, becomes a machine's
 * The network namespace must be decided before: it settles who may configure it.
 * Return: 0, or as machine_spec_check()
 */
int machine_spec_apply(const struct machine_request *req, struct container_spec *spec,
		       struct err *err);

#endif
