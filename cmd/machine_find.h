/* SPDX-License-Identifier: MIT */
/* The machine that a command line names. */
#ifndef CMD_MACHINE_FIND_H
#define CMD_MACHINE_FIND_H

#include "cmd/commands.h"
#include "runtime/state.h"

struct found_machine {
	struct container_state state;
	int pidfd; /* of its PID 1 */
};
void found_machine_done(struct found_machine *m);

/**
 * machine_find() - by name, ID or the beginning of one
 * @ret: found_machine_done()
 * Return: 0; -ENOENT/ERR_NOT_FOUND with docker's words; -EINVAL/ERR_USAGE for a container that is no machine; other -errno
 */
int machine_find(const struct context *ctx, const char *name, struct found_machine *ret,
		 struct err *err);

struct json_writer;
/** machine_json_members() - what every command tells of a machine, as members of the object that is being written; @state: in systemd's words */
void machine_json_members(struct json_writer *w, const struct container_state *m,
			  const char *state);

#endif
