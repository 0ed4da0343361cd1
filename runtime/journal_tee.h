/* SPDX-License-Identifier: MIT */
/* What a unit writes, on its way both to us and to the machine's journal. */
#ifndef RUNTIME_JOURNAL_TEE_H
#define RUNTIME_JOURNAL_TEE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "runtime/state.h"

struct pollfd;

enum { TEE_STDOUT, TEE_STDERR, TEE_STREAMS };

struct journal_tee {
	int unit_ends[TEE_STREAMS]; /* to be handed to the unit, then closed: journal_tee_handed() */
	int ends[TEE_STREAMS]; /* ours; -EBADF once all has come */
	int journal[TEE_STREAMS]; /* to the machine's systemd-cat; -EBADF: nobody reads there */
	pid_t feeders[TEE_STREAMS];
};
#define JOURNAL_TEE_NONE       \
	((struct journal_tee){ \
		{ -EBADF, -EBADF }, { -EBADF, -EBADF }, { -EBADF, -EBADF }, { -1, -1 } })
void journal_tee_done(struct journal_tee *t);

/** journal_tee_open() - the pipes; the journal's side comes with journal_tee_feed(). Return: 0 or -errno */
int journal_tee_open(struct journal_tee *ret, struct err *err);
/** journal_tee_handed() - the unit has its ends */
void journal_tee_handed(struct journal_tee *t);

/**
 * journal_tee_feed() - start the machine's systemd-cat, once a stream, in the unit's own cgroup, so that journald takes it for the unit
 * @machine: its state; @unit: "app.service" in system.slice; @name: what the lines are marked with
 * A machine without systemd-cat just has nothing in its journal.
 */
void journal_tee_feed(struct journal_tee *t, const struct container_state *machine,
		      const char *unit, const char *name, const char *cache_dir);

/** journal_tee_poll() - fill TEE_STREAMS entries with what to wait for */
void journal_tee_poll(const struct journal_tee *t, struct pollfd *p);
/** journal_tee_serve() - pass on what is there. Return: true while there may be more */
bool journal_tee_serve(struct journal_tee *t, const struct pollfd *p);

#endif
