/* SPDX-License-Identifier: MIT */
/*
 * Running containers: one JSON file a container, STATE_DIR/containers/NAME, flock()ed by the process that owns the container for as long
 * as it lives. An unlocked file means that the owner was killed: the next start sweeps it.
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"

struct container_state {
	char *id, *name, *image;
	char *hostname; /* NULL: the host's */
	char *cgroup; /* absolute path of its directory; NULL: none */
	pid_t pid; /* of the container's PID 1, in our PID namespace; 0: not recorded */
	int64_t pid_start; /* its start time, see state_set_pid() */
	int64_t started; /* seconds since the epoch */
	bool running; /* its command has been executed: what is inside is a container, and no longer a half-built one */
	bool boot; /* a machine: an init of the image is its PID 1 */
	bool userns; /* in a user namespace of its own */
	bool nameless; /* not in the file: state_free_name() was called */

	/* What another command in it is to get. */
	char *user, *workdir; /* as in the container_spec; NULL: root, / */
	uint64_t caps; /* mask of the bounding set */
	char *seccomp; /* policy: "default", "boot", "" for none */
	bool no_new_privs, suppress_sync;
	char **argv, **env;

	struct digest *layers; /* owned */
	size_t n_layers;
};
void container_state_done(struct container_state *s);

/**
 * state_register() - claim id and name, write the file, lock it
 * Return: lock fd (owned; keep it open), -EEXIST/ERR_CONFLICT with docker's words for a name in use, other -errno
 */
int state_register(const char *state_dir, const struct container_state *s, struct err *err);
/** state_set_pid() - name the container's PID 1 so that it can be told from a later process of the same number */
void state_set_pid(struct container_state *s, pid_t pid);
/** state_replace() - write the file anew under its name, at once and locked as before. @lock_fd: replaced. Return: 0 or -errno */
int state_replace(const char *state_dir, int *lock_fd, const struct container_state *s,
		  struct err *err);
/** state_free_name() - others may take the name from now on; the container is ending and only its owner, or a sweeper, sees it still */
void state_free_name(const char *state_dir, struct container_state *s);
/** state_set_running() - say that the command has been executed. @lock_fd: from state_register() */
void state_set_running(int lock_fd, struct container_state *s);
/** state_unregister() - remove the file of a container that the caller owns. @lock_fd: consumed; -1: there is none, nothing is done */
void state_unregister(const char *state_dir, int lock_fd, const struct container_state *s);
/** state_list() - the running ones; *ret owned: container_states_free(). No state directory: none. */
int state_list(const char *state_dir, struct container_state **ret, size_t *ret_n, struct err *err);
/**
 * state_find() - one of the running ones
 * @wanted: its name (docker's leading slash is allowed), its id, or the beginning of its id
 * @ret: owned: container_state_done()
 * Return: 0, -ENOENT/ERR_NOT_FOUND with docker's words ("No such container: x"), -ENOTUNIQ/ERR_CONFLICT, other -errno
 */
int state_find(const char *state_dir, const char *wanted, struct container_state *ret,
	       struct err *err);
/**
 * state_open_pid() - hold on to the container's PID 1: opened, then proven to be the recorded one by its start time
 * Return: pidfd (owned), -ESRCH/ERR_NOT_FOUND with docker's words ("container x is not running")
 */
int state_open_pid(const struct container_state *s, struct err *err);
/** state_watch() - to wait for the end of a container's owner: flock(2) of this fd for reading waits for it. Return: fd (owned) or -errno */
int state_watch(const char *state_dir, const struct container_state *s);
void container_states_free(struct container_state *list, size_t n);
/** state_sweep() - clear away what killed owners left: processes, cgroup, file, name. Cheap when there is nothing. */
int state_sweep(const char *state_dir, struct err *err);

#endif
