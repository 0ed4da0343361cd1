/* SPDX-License-Identifier: MIT */
/* When `racker run` boots a machine, and what becomes of the command: one table (decisions 2), printed by --help. */
#ifndef PROVISION_BOOT_RULE_H
#define PROVISION_BOOT_RULE_H

#include <stdbool.h>

#include "base/err.h"

enum boot_mode {
	BOOT_AUTO, /* as the image and the command tell */
	BOOT_ALWAYS,
	BOOT_NEVER,
	BOOT_APP, /* the command becomes a unit of the machine's own systemd */
};

/** boot_mode_parse() - "auto", "always" or "true" (--boot alone), "never" or "false", "app". Return: 0 or -EINVAL/ERR_USAGE */
int boot_mode_parse(const char *text, enum boot_mode *ret, struct err *err);

enum boot_plan {
	BOOT_PLAN_DIRECT, /* no machine: the command is the container */
	BOOT_PLAN_INIT, /* the command is the machine's init, its console the user's terminal */
	BOOT_PLAN_COMMAND, /* the machine boots, then the command (if there is one) runs in it */
	BOOT_PLAN_LIKELY, /* the same if the image has an init, else DIRECT */
};

/**
 * boot_rule() - Return: what to do
 * @curated: the image is a label of the catalogue
 * @argv0: of the command after docker's merge; NULL: there is none
 */
enum boot_plan boot_rule(enum boot_mode mode, bool curated, const char *argv0);

/* The table, for --help. */
#define BOOT_RULE_HELP                                                                            \
	"Whether a machine is booted (--boot=auto), the first that fits:\n"                       \
	"  COMMAND is an init (/sbin/init, systemd, ...)    it is PID 1 of a booted machine\n"    \
	"  COMMAND asks systemd (systemctl, hostnamectl,    the machine boots, then COMMAND\n"    \
	"    journalctl, loginctl, busctl, systemd-*, ...)    runs in it\n"                       \
	"  IMAGE is a curated label (debian-bookworm)       the same, if the image has an init\n" \
	"  anything else                                    COMMAND runs directly, as in docker"

#endif
