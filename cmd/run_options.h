/* SPDX-License-Identifier: MIT */
/* The flags of `racker run`, as its parts see them. */
#ifndef CMD_RUN_OPTIONS_H
#define CMD_RUN_OPTIONS_H

#include <stdbool.h>

#include "base/deadline.h"
#include "base/options.h"
#include "provision/boot_rule.h"
#include "provision/image_ensure.h"
#include "provision/machine_spec.h"
#include "provision/run_spec.h"
#include "runtime/machine.h"

enum machine_stop { MACHINE_STOP_KILL, MACHINE_STOP_CLEAN };

struct run_options {
	bool interactive, tty, rm, read_only, init, quiet, strict_tty, detach, console, as_unit,
		userns;
	char *name, *workdir, *user, *entrypoint, *hostname, *network, *platform, *pull,
		*detach_keys, *boot_profile, *journal;
	char **env, **volumes, **credentials, **conditions;
	enum boot_mode boot;
	enum machine_wait wait;
	enum machine_stop stop;
	enum suppress_sync suppress_sync;
	usec_t boot_timeout, stop_timeout; /* 0: the default; USEC_INFINITY: none */
};

#define RUN_OPTIONS 32
extern const struct option_spec run_option_specs[RUN_OPTIONS];
void run_options_done(void *target);

#endif
