// SPDX-License-Identifier: MIT
/* What the end of a transient unit means for the command in it (see systemd_transient.h). */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/systemd_transient.h"

#define VERSION_TYPE_EXEC 240

#define FIRST_OWN_CODE 200
#define LAST_OWN_CODE 245

/* Exit codes of a child of systemd's that did not come to execute the command. */
static const struct {
	int status;
	const char *what;
} own_codes[] = {
	{ 200, "change to the working directory" },
	{ 201, "set the nice level" },
	{ 202, "arrange file descriptors" },
	{ 203, "execute the command" },
	{ 204, "allocate memory" },
	{ 205, "set resource limits" },
	{ 206, "set the OOM score" },
	{ 207, "set the signal mask" },
	{ 208, "set up standard input" },
	{ 209, "set up standard output" },
	{ 210, "change the root directory" },
	{ 211, "set the IO priority" },
	{ 212, "set the timer slack" },
	{ 213, "set the secure bits" },
	{ 214, "set the CPU scheduler" },
	{ 215, "set the CPU affinity" },
	{ 216, "become the group" },
	{ 217, "become the user" },
	{ 218, "set the capabilities" },
	{ 219, "set up the cgroup" },
	{ 220, "make a session" },
	{ 221, "confirm" },
	{ 222, "set up standard error" },
	{ 224, "set up PAM" },
	{ 225, "set up the network namespace" },
	{ 226, "set up the mount namespace" },
	{ 227, "drop privileges" },
	{ 228, "apply the system call filter" },
	{ 229, "set the SELinux context" },
	{ 230, "set the personality" },
	{ 231, "set the AppArmor profile" },
	{ 232, "restrict address families" },
	{ 233, "make the runtime directory" },
	{ 235, "change an owner" },
	{ 236, "set the Smack label" },
	{ 237, "prepare the keyring" },
	{ 238, "make the state directory" },
	{ 239, "make the cache directory" },
	{ 240, "make the logs directory" },
	{ 241, "make the configuration directory" },
	{ 242, "set the NUMA policy" },
	{ 243, "set up credentials" },
	{ 245, "restrict BPF" },
};

/* Exit code and kind as docker has them: 126 for what a user can mend in the command line, 125 for the rest. */
static void not_executed(int status, struct systemd_run_result *ret)
{
	const char *what = "prepare the command";
	enum err_kind kind = ERR_SYSTEM;

	for (size_t i = 0; i < ARRAY_SIZE(own_codes); i++)
		if (own_codes[i].status == status)
			what = own_codes[i].what;
	if (status == 200 || status == 203 || status == 216 || status == 217)
		kind = ERR_EXEC_DENIED;
	ret->how = SYSTEMD_NOT_EXECUTED;
	ret->value = kind == ERR_EXEC_DENIED ? 126 : 125;
	(void)err_set(
		&ret->why, kind, -EACCES,
		"the machine's systemd could not %s (exit code %d of its own; the journal may say why)",
		what, status);
}

/* The service itself failed before or beside its process: Result= is a word that copy_word() let through. */
static void no_process(struct systemd_run_result *ret)
{
	ret->how = SYSTEMD_NOT_EXECUTED;
	ret->value = 125;
	(void)err_set(&ret->why, ERR_SYSTEM, -ECANCELED,
		      "the machine's systemd started no process: result \"%s\"", ret->result);
}

bool systemd_run_result_of(const struct systemd_unit_state *state, unsigned version,
			   struct systemd_run_result *ret)
{
	bool over = strcmp(state->sub, "exited") == 0 || strcmp(state->active, "failed") == 0 ||
		    (strcmp(state->active, "inactive") == 0 && state->inactive_exit_usec);
	bool own_code = state->exec_status >= FIRST_OWN_CODE && state->exec_status <= LAST_OWN_CODE;
	struct systemd_run_result result = { .how = SYSTEMD_EXITED };

	if (!over)
		return false;
	memcpy(result.result, state->result, sizeof(result.result));
	/* With Type=exec a unit is active from the exec on. */
	if (version >= VERSION_TYPE_EXEC)
		own_code = own_code && !state->active_enter_usec;
	if (state->exec_code == CLD_KILLED || state->exec_code == CLD_DUMPED) {
		result.how = SYSTEMD_KILLED;
		result.value = state->exec_status;
		result.core_dumped = state->exec_code == CLD_DUMPED;
	} else if (state->exec_code != CLD_EXITED) {
		no_process(&result);
	} else if (own_code) {
		not_executed(state->exec_status, &result);
	} else {
		result.value = state->exec_status;
	}
	*ret = result;
	return true;
}
