/* SPDX-License-Identifier: MIT */
/* Image config and flags of `racker run` become a container_spec (features 4.4 to 4.6: docker's merge rules). */
#ifndef PROVISION_RUN_SPEC_H
#define PROVISION_RUN_SPEC_H

#include <stdbool.h>

#include "oci/image_config.h"
#include "oci/store.h"
#include "runtime/container_spec.h"

enum network_mode { NETWORK_HOST, NETWORK_NONE };

struct run_request {
	bool interactive, tty, init, read_only, userns;
	char *const *cmd; /* words after IMAGE; may be empty */
	const char *entrypoint; /* NULL: the image's; "": none */
	char *const *env; /* -e: KEY=VALUE or KEY */
	char *const *volumes; /* -v: SRC:DST[:ro|rw] */
	const char *workdir, *user, *hostname, *name; /* "": as if not given */
	enum network_mode network;
	const struct machine_request *machine; /* NULL: no machine is booted */
};

/** run_spec_argv() - docker's merge of entrypoint and command. @ret: owned; NULL when there is none. Return: 0 or -ENOMEM */
int run_spec_argv(const struct run_request *req, const struct image_config *config, char ***ret,
		  struct err *err);

/** run_spec_check() - what is wrong whatever the image is: name, volumes, workdir. Before a pull. Return: 0, or as run_spec_build() */
int run_spec_check(const struct run_request *req, struct err *err);

/** run_spec_build() - Return: 0 with *ret; -EINVAL/ERR_USAGE with docker's words ("no command specified", "invalid mode: zz", …) */
int run_spec_build(const struct run_request *req, const struct store *store,
		   const struct image_record *record, const struct image_config *config,
		   struct container_spec *ret, struct err *err);

#endif
