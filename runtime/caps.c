// SPDX-License-Identifier: MIT
/* Names of capabilities through libcap; the sets themselves by capset(2) and prctl(2), since they change in a cloned child. */
#include "runtime/caps.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sys/capability.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/quote.h"
#include "runtime/config_data.h"
#include "runtime/container_spec.h"

#define CAPS_MAX 64 /* bits of a mask, and of capset(2) version 3 */

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

static const unsigned int default_caps[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	     CAP_FOWNER,
	CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
	CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
	CAP_KILL,    CAP_AUDIT_WRITE,
};

int caps_from_name(const char *name)
{
	cap_value_t cap;

	/* libcap takes numbers too, and stops at the first byte that cannot be in a name */
	if (strncasecmp(name, "CAP_", 4) != 0 || isdigit((unsigned char)name[4]))
		return -EINVAL;
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_')
			return -EINVAL;
	}
	if (cap_from_name(name, &cap) < 0 || cap < 0 || cap >= CAPS_MAX)
		return -EINVAL;
	return cap;
}

const char *caps_name(unsigned int cap, char buf[static CAPS_NAME_MAX])
{
	char *name = cap < CAPS_MAX ? cap_to_name((cap_value_t)cap) : NULL;

	if (name && isalpha((unsigned char)name[0]))
		(void)snprintf(buf, CAPS_NAME_MAX, "%s", name);
	else
		(void)snprintf(buf, CAPS_NAME_MAX, "CAP_%u", cap);
	(void)cap_free(name);
	for (char *p = buf; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return buf;
}

uint64_t caps_default(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(default_caps); i++)
		mask |= CAP_BIT(default_caps[i]);
	return mask;
}

/* Adds the capabilities of one list. */
static int add_set(const struct json *doc, const char *key, uint64_t *mask, struct err *err)
{
	const struct json *set = NULL, *names = NULL;
	int r = json_member_object(doc, key, JSON_REQUIRED, &set, err);

	if (r == 0)
		r = json_member_array(set, "caps", JSON_REQUIRED, &names, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_len(names); i++) {
		const char *name = json_string(json_at(names, i));
		int cap = name ? caps_from_name(name) : -EINVAL;

		if (cap < 0)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: %s is no capability", key,
				       QUOTE(name ? name : "what is no string"));
		*mask |= CAP_BIT(cap);
	}
	return 0;
}

int caps_boot(bool private_net, uint64_t *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	uint64_t mask = 0;
	int r = json_parse(config_caps, config_caps_len, &doc, err);

	if (r == 0)
		r = add_set(doc, "boot", &mask, err);
	if (r == 0 && private_net)
		r = add_set(doc, "bootPrivateNetwork", &mask, err);
	if (r < 0)
		return err_prefix(err, r, "read capability sets");
	*ret = mask;
	return 0;
}

/* 1: in the bounding set, 0: not, -EINVAL: the kernel has no such capability, so none above it either. */
static int bounding_has(unsigned int cap)
{
	int r = prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0);

	return r < 0 ? -errno : r;
}

int caps_read_bounding(uint64_t *ret, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t bounding = 0;

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, ERR_SYSTEM, "read own capabilities");
	for (unsigned int cap = 0; cap < CAPS_MAX; cap++) {
		int r = bounding_has(cap);

		if (r < 0)
			break;
		if (r > 0)
			bounding |= CAP_BIT(cap);
	}
	*ret = bounding & (data[0].permitted | (uint64_t)data[1].permitted << 32);
	return 0;
}

int caps_read_bounding_of(pid_t pid, uint64_t *ret)
{
	char path[64], text[4096];
	const char *at;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = fd_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	at = strstr(text, "\nCapBnd:");
	if (!at)
		return -ENODATA;
	*ret = strtoull(at + strlen("\nCapBnd:"), NULL, 16);
	return 0;
}

int caps_apply_bounding(uint64_t keep, struct err *err)
{
	for (unsigned int cap = 0; cap < CAPS_MAX; cap++) {
		int r;

		if (keep & CAP_BIT(cap))
			continue;
		r = bounding_has(cap);
		if (r < 0)
			break;
		if (r > 0 && prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0) < 0)
			return err_sys(err, ERR_SYSTEM, "drop capability %u from the bounding set",
				       cap);
	}
	return 0;
}

static int apply_ambient(uint64_t ambient, struct err *err)
{
	/* EINVAL: before Linux 4.3 there were none to clear */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 &&
	    (errno != EINVAL || ambient))
		return err_sys(err, ERR_SYSTEM, "clear ambient capabilities");
	for (unsigned int cap = 0; cap < CAPS_MAX; cap++) {
		if ((ambient & CAP_BIT(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0) < 0)
			return err_sys(err, ERR_SYSTEM, "raise ambient capability %u", cap);
	}
	return 0;
}

int caps_apply_sets(const struct cap_sets *sets, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(sets->effective >> (32 * i));
		data[i].permitted = (uint32_t)(sets->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(sets->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(err, ERR_SYSTEM, "set capabilities");
	return apply_ambient(sets->ambient, err);
}
