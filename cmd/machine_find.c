// SPDX-License-Identifier: MIT
/* The machine that a command line names (see machine_find.h). */
#include "cmd/machine_find.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"

void found_machine_done(struct found_machine *m)
{
	container_state_done(&m->state);
	cleanup_close(&m->pidfd);
	m->pidfd = -EBADF;
}

int machine_find(const struct context *ctx, const char *name, struct found_machine *ret,
		 struct err *err)
{
	AUTO(found_machine) m = { .pidfd = -EBADF };
	int r = state_find(ctx->settings.state_dir, name, &m.state, err);

	if (r < 0)
		return r;
	if (!m.state.boot)
		return err_set(err, ERR_USAGE, -EINVAL,
			       "container %s is no machine: it runs a command, without an init",
			       QUOTE_PLAIN(m.state.name));
	m.pidfd = state_open_pid(&m.state, err);
	if (m.pidfd < 0)
		return m.pidfd;
	*ret = m;
	m = (struct found_machine){ .pidfd = -EBADF };
	return 0;
}

void machine_json_members(struct json_writer *w, const struct container_state *m, const char *state)
{
	jw_key(w, "Name");
	jw_string(w, m->name);
	jw_key(w, "ID");
	jw_string(w, m->id);
	jw_key(w, "Image");
	jw_string(w, m->image);
	jw_key(w, "State");
	jw_string(w, state);
	jw_key(w, "Pid");
	jw_int(w, m->pid);
	jw_key(w, "Started");
	jw_int(w, m->started);
	jw_key(w, "Cgroup");
	jw_string(w, m->cgroup);
}
