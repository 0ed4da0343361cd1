/* SPDX-License-Identifier: MIT */
/* What every command is to the dispatcher, and what a command gets from it. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"
#include "provision/settings.h"

struct context {
	const char *program; /* "racker" or "postroj" */
	struct settings settings;
};

/* A flag that docker has and racker will have: refused by name rather than called unknown, or ignored. */
struct later_flag {
	const char *name;
	char letter;
	bool takes_value;
	bool is_on; /* a boolean's default; giving it explicitly changes nothing */
};

struct command {
	const char *name;
	const char *usage; /* after the command's name: "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
	const char *summary; /* one line */
	const char *details; /* more for --help; NULL: nothing */
	const struct option_spec *options; /* without --help */
	size_t n_options;
	const struct later_flag *later; /* NULL: none */
	size_t n_later;
	bool stop_at_operand; /* words after the first operand belong to somebody else */
	int min_operands, max_operands; /* max < 0: no limit */
	/* @options: zeroed struct of @options_size that the table was parsed into; Return: exit status */
	int (*main)(const struct context *ctx, void *options, char *const *operands);
	size_t options_size;
	void (*options_done)(void *options); /* NULL: nothing is owned */
};

extern const struct command command_run, command_exec, command_pull, command_images, command_rmi,
	command_inspect, command_prune, command_version, command_info, command_unpack;
extern const struct command command_machines, command_poweroff, command_reboot, command_terminate;
extern const struct command command_journal, command_shell, command_login, command_wait,
	command_status;
extern const struct command command_copy_to, command_copy_from;
extern const struct command command_postroj_pull, command_list_images;

#endif
