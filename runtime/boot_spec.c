// SPDX-License-Identifier: MIT
/* What makes a container a machine (see boot_spec.h). */
#include "runtime/boot_spec.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/quote.h"
#include "base/strv.h"

#define OS_RELEASE_MAX ((size_t)64 << 10)
#define CREDENTIAL_NAME_MAX 255
#define CREDENTIALS_BYTES_MAX ((size_t)1 << 20) /* systemd's own limit for one */

/* A random UUID (version 4, variant DCE) as 32 digits: what machine-id(5) asks for. */
static int random_uuid(char ret[static MACHINE_ID_LEN + 1], struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[MACHINE_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(err, ERR_SYSTEM, "get random bytes for a machine's identity");
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[MACHINE_ID_LEN] = '\0';
	return 0;
}

int boot_spec_renew(struct boot_spec *boot, struct err *err)
{
	char id[MACHINE_ID_LEN + 1];
	int r = random_uuid(id, err);

	if (r >= 0)
		(void)snprintf(boot->boot_id, sizeof(boot->boot_id), "%.8s-%.4s-%.4s-%.4s-%s\n", id,
			       id + 8, id + 12, id + 16, id + 20);
	return r;
}

/* NULL where there is none. */
static char *host_os_release(void)
{
	static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (fd_read_file_at(AT_FDCWD, paths[i], OS_RELEASE_MAX, &text, NULL, NULL) == 0)
			return text;
	return NULL;
}

int boot_spec_new(struct boot_spec **ret, struct err *err)
{
	struct boot_spec *boot = calloc(1, sizeof(*boot));
	int r;

	if (!boot)
		return err_oom(err);
	r = random_uuid(boot->machine_id, err);
	if (r >= 0)
		r = boot_spec_renew(boot, err);
	if (r < 0) {
		boot_spec_free(boot);
		return r;
	}
	boot->os_release = host_os_release();
	*ret = boot;
	return 0;
}

static bool credential_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > CREDENTIAL_NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *p = name; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == '/' || *p == ':')
			return false;
	return true;
}

int boot_spec_add_credential(struct boot_spec *boot, const char *name, const char *data, size_t len,
			     struct err *err)
{
	struct credential *grown;
	struct credential new = { 0 };
	size_t total = len;

	if (!credential_name_ok(name))
		return err_set(err, ERR_USAGE, -EINVAL, "invalid credential name: %s", QUOTE(name));
	for (size_t i = 0; i < boot->n_credentials; i++) {
		total += boot->credentials[i].len;
		if (strcmp(boot->credentials[i].name, name) == 0)
			return err_set(err, ERR_USAGE, -EEXIST, "credential %s is given twice",
				       QUOTE(name));
	}
	if (total > CREDENTIALS_BYTES_MAX)
		return err_set(err, ERR_USAGE, -E2BIG,
			       "credential %s: all together may have 1 MiB at most", QUOTE(name));
	grown = reallocarray(boot->credentials, boot->n_credentials + 1, sizeof(*grown));
	if (!grown)
		return err_oom(err);
	boot->credentials = grown;
	new.name = strdup(name);
	new.data = malloc(len + 1);
	new.len = len;
	if (!new.name || !new.data) {
		free(new.name);
		free(new.data);
		return err_oom(err);
	}
	memcpy(new.data, data, len);
	new.data[len] = '\0';
	boot->credentials[boot->n_credentials++] = new;
	return 0;
}

void boot_spec_done(struct boot_spec *boot)
{
	free(boot->os_release);
	strv_free(boot->masks);
	strv_free(boot->idle_generators);
	for (size_t i = 0; i < boot->n_credentials; i++) {
		free(boot->credentials[i].name);
		/* A secret is not left lying in memory that the next allocation gets. */
		explicit_bzero(boot->credentials[i].data, boot->credentials[i].len);
		free(boot->credentials[i].data);
	}
	free(boot->credentials);
	strv_free(boot->command.argv);
	strv_free(boot->command.env);
	free(boot->command.workdir);
	free(boot->command.user);
	*boot = (struct boot_spec){ 0 };
}

void boot_spec_free(struct boot_spec *boot)
{
	if (!boot)
		return;
	boot_spec_done(boot);
	free(boot);
}
