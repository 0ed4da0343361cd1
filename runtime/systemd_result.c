// SPDX-License-Identifier: MIT
/* What the end of a transient unit means for the command in it (see systemd_transient.h). */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/systemd_transient.h"

#define VERSION_TYPE_EXEC 240
#define ALWAYS (~0U)

static const struct own_code {
	int status;
	const char *what;
	unsigned cause; /* SYSTEMD_RUN_* that it takes */
} own_codes[] = {
	{ 200, "change to the working directory", SYSTEMD_RUN_WORKDIR },
	{ 201, "set the nice level", SYSTEMD_RUN_PROPERTIES },
	{ 202, "arrange file descriptors", SYSTEMD_RUN_PROPERTIES },
	{ 203, "execute the command", ALWAYS },
	{ 204, "allocate memory", SYSTEMD_RUN_PROPERTIES },
	{ 205, "set resource limits", SYSTEMD_RUN_PROPERTIES },
	{ 206, "set the OOM score", SYSTEMD_RUN_PROPERTIES },
	{ 207, "set the signal mask", SYSTEMD_RUN_PROPERTIES },
	{ 208, "set up standard input", SYSTEMD_RUN_TTY },
	{ 209, "set up standard output", SYSTEMD_RUN_TTY },
	{ 210, "change the root directory", SYSTEMD_RUN_PROPERTIES },
	{ 211, "set the IO priority", SYSTEMD_RUN_PROPERTIES },
	{ 212, "set the timer slack", SYSTEMD_RUN_PROPERTIES },
	{ 213, "set the secure bits", SYSTEMD_RUN_PROPERTIES },
	{ 214, "set the CPU scheduler", SYSTEMD_RUN_PROPERTIES },
	{ 215, "set the CPU affinity", SYSTEMD_RUN_PROPERTIES },
	{ 216, "become the group", SYSTEMD_RUN_USER },
	{ 217, "become the user", SYSTEMD_RUN_USER },
	{ 218, "set the capabilities", SYSTEMD_RUN_PROPERTIES },
	{ 219, "set up the cgroup", SYSTEMD_RUN_PROPERTIES },
	{ 220, "make a session", SYSTEMD_RUN_PROPERTIES },
	{ 221, "confirm", SYSTEMD_RUN_PROPERTIES },
	{ 222, "set up standard error", SYSTEMD_RUN_TTY },
	{ 224, "set up PAM", SYSTEMD_RUN_PROPERTIES },
	{ 225, "set up the network namespace", SYSTEMD_RUN_PROPERTIES },
	{ 226, "set up the mount namespace", SYSTEMD_RUN_PROPERTIES },
	{ 227, "drop privileges", SYSTEMD_RUN_PROPERTIES },
	{ 228, "apply the system call filter", SYSTEMD_RUN_PROPERTIES },
	{ 229, "set the SELinux context", SYSTEMD_RUN_PROPERTIES },
	{ 230, "set the personality", SYSTEMD_RUN_PROPERTIES },
	{ 231, "set the AppArmor profile", SYSTEMD_RUN_PROPERTIES },
	{ 232, "restrict address families", SYSTEMD_RUN_PROPERTIES },
	{ 233, "make the runtime directory", SYSTEMD_RUN_PROPERTIES },
	{ 235, "change an owner", SYSTEMD_RUN_PROPERTIES },
	{ 236, "set the Smack label", SYSTEMD_RUN_PROPERTIES },
	{ 237, "prepare the keyring", SYSTEMD_RUN_PROPERTIES },
	{ 238, "make the state directory", SYSTEMD_RUN_PROPERTIES },
	{ 239, "make the cache directory", SYSTEMD_RUN_PROPERTIES },
	{ 240, "make the logs directory", SYSTEMD_RUN_PROPERTIES },
	{ 241, "make the configuration directory", SYSTEMD_RUN_PROPERTIES },
	{ 242, "set the NUMA policy", SYSTEMD_RUN_PROPERTIES },
	{ 243, "set up credentials", SYSTEMD_RUN_PROPERTIES },
	{ 245, "restrict BPF", SYSTEMD_RUN_PROPERTIES },
};

/* Exit code and kind as docker has them: 126 for what a user can mend in the command line, 125 for the rest. */
static void not_executed(const struct own_code *code, struct systemd_run_result *ret)
{
	enum err_kind kind = ERR_SYSTEM;
	int status = code->status;

	if (status == 200 || status == 203 || status == 216 || status == 217)
		kind = ERR_EXEC_DENIED;
	ret->how = SYSTEMD_NOT_EXECUTED;
	ret->value = kind == ERR_EXEC_DENIED ? 126 : 125;
	(void)err_set(
		&ret->why, kind, -EACCES,
		"the machine's systemd could not %s (exit code %d of its own; the journal may say why)",
		code->what, status);
}

/* The service itself failed before or beside its process: Result= is a word that copy_word() let through. */
static void no_process(struct systemd_run_result *ret)
{
	ret->how = SYSTEMD_NOT_EXECUTED;
	ret->value = 125;
	(void)err_set(&ret->why, ERR_SYSTEM, -ECANCELED,
		      "the machine's systemd started no process: result \"%s\"", ret->result);
}

/* Return: NULL if the exit code is the command's own */
static const struct own_code *find_own_code(const struct systemd_unit_state *state,
					    unsigned version, unsigned settings)
{
	if (version >= VERSION_TYPE_EXEC && state->active_enter_usec)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(own_codes); i++) {
		unsigned cause = own_codes[i].cause;

		if (own_codes[i].status == state->exec_status &&
		    (cause == ALWAYS || cause & settings))
			return &own_codes[i];
	}
	return NULL;
}

bool systemd_run_result_of(const struct systemd_unit_state *state, unsigned version,
			   unsigned settings, struct systemd_run_result *ret)
{
	bool over = strcmp(state->sub, "exited") == 0 || strcmp(state->active, "failed") == 0 ||
		    (strcmp(state->active, "inactive") == 0 && state->inactive_exit_usec);
	const struct own_code *own = find_own_code(state, version, settings);
	struct systemd_run_result result = { .how = SYSTEMD_EXITED };

	if (!over)
		return false;
	memcpy(result.result, state->result, sizeof(result.result));
	if (state->exec_code == CLD_KILLED || state->exec_code == CLD_DUMPED) {
		result.how = SYSTEMD_KILLED;
		result.value = state->exec_status;
		result.core_dumped = state->exec_code == CLD_DUMPED;
	} else if (state->exec_code != CLD_EXITED) {
		no_process(&result);
	} else if (own) {
		not_executed(own, &result);
	} else {
		result.value = state->exec_status;
	}
	*ret = result;
	return true;
}
