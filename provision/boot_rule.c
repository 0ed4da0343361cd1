// SPDX-License-Identifier: MIT
/* When `racker run` boots a machine (see boot_rule.h). */
#include "provision/boot_rule.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/quote.h"

/* podman's list of what means systemd mode, and systemd's own place on merged file systems. */
static const char *const inits[] = {
	"/sbin/init",
	"/usr/sbin/init",
	"/usr/local/sbin/init",
	"/lib/systemd/systemd",
	"/usr/lib/systemd/systemd",
	"init",
	"systemd",
};

/* Programs that ask a running systemd, by their names; those of systemd-* that are none are listed after. */
static const char *const clients[] = {
	"systemctl", "hostnamectl", "journalctl", "loginctl",	"timedatectl",
	"localectl", "busctl",	    "networkctl", "resolvectl", "machinectl",
};
static const char client_prefix[] = "systemd-";

static const struct {
	const char *name;
	enum boot_mode mode;
} modes[] = {
	{ "auto", BOOT_AUTO },	 { "always", BOOT_ALWAYS }, { "true", BOOT_ALWAYS },
	{ "never", BOOT_NEVER }, { "false", BOOT_NEVER },   { "app", BOOT_APP },
};

int boot_mode_parse(const char *text, enum boot_mode *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(text, modes[i].name) == 0) {
			*ret = modes[i].mode;
			return 0;
		}
	return err_set(err, ERR_USAGE, -EINVAL,
		       "invalid boot mode: %s: must be one of \"auto\", \"always\", \"never\" or "
		       "\"app\"",
		       QUOTE_PLAIN(text));
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool is_client(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;

	return is_one_of(name, clients, ARRAY_SIZE(clients)) ||
	       strncmp(name, client_prefix, sizeof(client_prefix) - 1) == 0;
}

enum boot_plan boot_rule(enum boot_mode mode, bool curated, const char *argv0)
{
	if (mode == BOOT_NEVER)
		return BOOT_PLAN_DIRECT;
	if (mode == BOOT_APP)
		return BOOT_PLAN_COMMAND;
	if (argv0 && is_one_of(argv0, inits, ARRAY_SIZE(inits)))
		return BOOT_PLAN_INIT;
	if (mode == BOOT_ALWAYS || (argv0 && is_client(argv0)))
		return BOOT_PLAN_COMMAND;
	return curated ? BOOT_PLAN_LIKELY : BOOT_PLAN_DIRECT;
}
