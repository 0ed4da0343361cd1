/* SPDX-License-Identifier: MIT */
/* A container in the foreground: started, served (signals, terminal), waited for, removed. */
#ifndef RUNTIME_FOREGROUND_H
#define RUNTIME_FOREGROUND_H

#include "base/digest.h"
#include "runtime/container_spec.h"

struct foreground_request {
	const struct container_spec *spec;
	const char *state_dir; /* made if missing */
	const char *cache_dir; /* compiled seccomp filters are kept here; made if missing */
	const char *image; /* for the state file */
	const struct digest *layers; /* held against removal while it runs; for the state file */
	size_t n_layers;
	int hold_fd; /* -1: none; closed (it is consumed) once the state file holds the layers in its place */
	const char *detach_keys; /* docker's notation, "ctrl-p,ctrl-q"; "" disables */
};

enum exit_how {
	EXIT_HOW_EXITED, /* value: exit code */
	EXIT_HOW_SIGNALED, /* value: signal */
	EXIT_HOW_DETACHED, /* the user pressed the detach keys; the container goes on */
};
struct exit_info {
	enum exit_how how;
	int value;
};

/**
 * foreground_run() - Return: 0 with *ret; ERR_EXEC_NOT_FOUND or ERR_EXEC_DENIED if the command could not be executed; other -errno when
 * the container could not be started. In every case nothing of it is left (except after a detach).
 */
int foreground_run(const struct foreground_request *req, struct exit_info *ret, struct err *err);

#endif
