// SPDX-License-Identifier: MIT
// Platform names, their normalisation and the order in which variants serve each other.
#include "oci/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/quote.h"

#define RANK_EXACT 1000
#define RANK_NO_VARIANT 2

/* Kernel names (uname -m) where they differ from Go's. */
static const struct {
	const char *machine, *arch, *variant;
} machines[] = {
	{ "x86_64", "amd64", "" },   { "i386", "386", "" },	   { "i486", "386", "" },
	{ "i586", "386", "" },	     { "i686", "386", "" },	   { "aarch64", "arm64", "" },
	{ "armv8l", "arm", "v8" },   { "armv7l", "arm", "v7" },	   { "armv6l", "arm", "v6" },
	{ "armv5tel", "arm", "v5" }, { "armv5tejl", "arm", "v5" }, { "loongarch64", "loong64", "" },
	{ "riscv32", "riscv", "" },
};

/* What users and documents write, as containerd's platforms package reads it. A NULL variant keeps the one given. */
static const struct {
	const char *alias, *arch, *variant;
} aliases[] = {
	{ "i386", "386", "" },	      { "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },	   { "armel", "arm", "v6" },
};

static const char *const known_arches[] = {
	"386",	   "amd64",   "arm",  "armbe",	"arm64",  "arm64be", "ppc64",
	"ppc64le", "loong64", "mips", "mipsle", "mips64", "ppc",     "mips64le",
	"riscv",   "riscv64", "s390", "s390x",	"sparc",  "sparc64", "wasm",
};

static void lower_case(char *s)
{
	for (; *s; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	}
}

static void part_set(char part[static PLATFORM_PART_MAX], const char *text)
{
	(void)snprintf(part, PLATFORM_PART_MAX, "%s", text);
}

static bool part_is_valid(const char *text, size_t len)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return len < PLATFORM_PART_MAX && strspn(text, plain) >= len;
}

void platform_native(struct platform *ret)
{
	struct utsname u = { 0 };

	*ret = (struct platform){ .os = "linux" };
	if (uname(&u) < 0)
		return; /* fails for a bad pointer only */
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (strcmp(u.machine, machines[i].machine) == 0) {
			part_set(ret->arch, machines[i].arch);
			part_set(ret->variant, machines[i].variant);
			return;
		}
	}
	if (part_is_valid(u.machine, strlen(u.machine)))
		part_set(ret->arch, u.machine);
}

bool platform_is_set(const struct platform *p)
{
	return p->os[0] || p->arch[0] || p->variant[0];
}

void platform_normalize(struct platform *p)
{
	lower_case(p->os);
	lower_case(p->arch);
	lower_case(p->variant);

	if (strcmp(p->os, "macos") == 0)
		part_set(p->os, "darwin");
	if (!p->os[0] && p->arch[0])
		part_set(p->os, "linux");
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcmp(p->arch, aliases[i].alias) != 0)
			continue;
		part_set(p->arch, aliases[i].arch);
		if (aliases[i].variant)
			part_set(p->variant, aliases[i].variant);
		break;
	}

	if (strcmp(p->arch, "amd64") == 0) {
		if (strcmp(p->variant, "v1") == 0)
			p->variant[0] = '\0';
	} else if (strcmp(p->arch, "arm64") == 0) {
		if (strcmp(p->variant, "8") == 0 || strcmp(p->variant, "v8") == 0)
			p->variant[0] = '\0';
	} else if (strcmp(p->arch, "arm") == 0) {
		if (!p->variant[0])
			part_set(p->variant, "v7");
		else if (strlen(p->variant) == 1 && strchr("5678", p->variant[0]))
			part_set(p->variant, (char[]){ 'v', p->variant[0], '\0' });
	}
}

int platform_set(struct platform *ret, const char *os, const char *arch, const char *variant)
{
	const char *parts[] = { os ? os : "", arch ? arch : "", variant ? variant : "" };
	struct platform p = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!part_is_valid(parts[i], strlen(parts[i])))
			return -EINVAL;
	}
	part_set(p.os, parts[0]);
	part_set(p.arch, parts[1]);
	part_set(p.variant, parts[2]);
	platform_normalize(&p);
	*ret = p;
	return 0;
}

static bool arch_is_known(const char *arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_arches); i++) {
		if (strcmp(arch, known_arches[i]) == 0)
			return true;
	}
	return false;
}

/* One word: racker's only os, or an architecture that must be known, since nothing else tells a typing error. */
static int parse_word(const char *text, struct platform *ret, struct err *err)
{
	struct platform p = { 0 };

	if (platform_set(&p, "linux", text, "") < 0)
		return err_set(err, ERR_USAGE, -EINVAL, "invalid platform %s", QUOTE(text));
	if (strcmp(p.arch, "linux") == 0)
		platform_native(&p);
	else if (!arch_is_known(p.arch))
		return err_set(err, ERR_USAGE, -EINVAL,
			       "invalid platform %s: unknown operating system or architecture",
			       QUOTE(text));
	*ret = p;
	return 0;
}

int platform_parse(const char *text, struct platform *ret, struct err *err)
{
	char parts[3][PLATFORM_PART_MAX] = { { 0 } };
	size_t n = 0;

	for (const char *s = text;; n++) {
		size_t len = strcspn(s, "/");

		if (n == ARRAY_SIZE(parts))
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid platform %s: expected os/arch[/variant]",
				       QUOTE(text));
		if (len == 0 || !part_is_valid(s, len))
			return err_set(err, ERR_USAGE, -EINVAL,
				       "invalid platform %s: a component must be 1 to %d of "
				       "[A-Za-z0-9_.-]",
				       QUOTE(text), PLATFORM_PART_MAX - 1);
		memcpy(parts[n], s, len);
		if (s[len] == '\0')
			break;
		s += len + 1;
	}
	if (n == 0)
		return parse_word(parts[0], ret, err);
	if (platform_set(ret, parts[0], parts[1], parts[2]) < 0)
		return err_set(err, ERR_USAGE, -EINVAL, "invalid platform %s", QUOTE(text));
	return 0;
}

/* "v7" or "v8.2" as a number that orders them; -1 for anything else. */
static int level(const char *variant)
{
	int minor = 0;
	const char *s = variant;

	if (s[0] != 'v' || s[1] < '1' || s[1] > '9')
		return -1;
	int major = s[1] - '0';

	if (s[2] == '.') {
		s += 3;
		for (int digits = 0; digits == 0 || *s; digits++, s++) {
			if (digits == 2 || *s < '0' || *s > '9')
				return -1;
			minor = minor * 10 + (*s - '0');
		}
	} else if (s[2]) {
		return -1;
	}
	return major * 100 + minor;
}

/*
 * The exact rank less the distance between the levels. Armv9.N carries what Armv8.(N+5) has, and Armv8 ends at 8.9, so the
 * levels above what the newer generation carries are the only ones below it that do not run.
 */
static int level_rank(const char *arch, int want, int have)
{
	bool is_arm64 = strcmp(arch, "arm64") == 0;
	int lowest = is_arm64 ? 800 : strcmp(arch, "arm") == 0 ? 500 : 100;

	if (want < 0 || have < lowest || have > want)
		return 0;
	if (is_arm64 && want >= 900 && have < 900 && have - 800 > want - 900 + 5)
		return 0;
	return RANK_EXACT - (want - have);
}

int platform_rank(const struct platform *want, const struct platform *have)
{
	struct platform w = *want, h = *have;
	const char *absent = NULL; /* what no variant means */

	platform_normalize(&w);
	platform_normalize(&h);
	if (!w.os[0] || !w.arch[0] || strcmp(w.os, h.os) != 0 || strcmp(w.arch, h.arch) != 0)
		return 0;
	if (strcmp(w.variant, h.variant) == 0)
		return RANK_EXACT;
	if (strcmp(w.arch, "amd64") == 0)
		absent = "v1";
	else if (strcmp(w.arch, "arm64") == 0)
		absent = "v8";
	else if (strcmp(w.arch, "arm") == 0)
		absent = "v7";
	else
		return h.variant[0] ? 0 : RANK_NO_VARIANT;
	return level_rank(w.arch, level(w.variant[0] ? w.variant : absent),
			  level(h.variant[0] ? h.variant : absent));
}

const char *platform_str(const struct platform *p, char buf[static PLATFORM_STR_MAX])
{
	if (!platform_is_set(p))
		(void)snprintf(buf, PLATFORM_STR_MAX, "unknown");
	else
		(void)snprintf(buf, PLATFORM_STR_MAX, "%s/%s%s%s", p->os, p->arch,
			       p->variant[0] ? "/" : "", p->variant);
	return buf;
}
