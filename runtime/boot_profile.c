// SPDX-License-Identifier: MIT
/*
 * What of a machine's own boot is left out (see boot_profile.h).
 *
 * Nothing is masked in systemd's sense, so everything can still be started: what is taken away are links. A link to /dev/null in a TARGET.wants
 * directory makes systemd pass over that wish of the target. /run/systemd/system.control comes before all other directories of
 * units, those in /etc and of generators too. Generators and tmpfiles.d(5) have the same rule for whole files.
 */
#include "runtime/boot_profile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/strbuf.h"
#include "base/strv.h"
#include "runtime/boot_generators.h"
#include "runtime/config_data.h"

#define NAMES_TEXT_MAX 200

static const struct {
	const char *key, *dir;
} kinds[] = {
	{ "wants", "systemd/system.control" },
	{ "generators", "systemd/system-generators" },
	{ "tmpfiles", "tmpfiles.d" },
};

void boot_profile_done(struct boot_profile *p)
{
	strv_free(p->masks);
	strv_free(p->idle_generators);
	*p = (struct boot_profile){ 0 };
}

/* The names become paths: no more than one directory, and nothing that leads elsewhere. */
static bool name_ok(const char *name)
{
	const char *slash = strchr(name, '/');

	return name[0] && name[0] != '.' && name[0] != '/' && !strstr(name, "/.") &&
	       (!slash || (slash[1] && !strchr(slash + 1, '/')));
}

static int add_names(const struct json *group, const char *key, const char *dir,
		     struct boot_profile *p, struct err *err)
{
	const struct json *names = NULL;
	int r = json_member_array(group, key, JSON_OPTIONAL, &names, err);

	for (size_t i = 0; r == 0 && i < json_len(names); i++) {
		const char *name = json_string(json_at(names, i));
		char *path = NULL;

		if (!name || !name_ok(name))
			return err_set(err, ERR_CORRUPT, -EBADMSG, "%s: %s cannot be left out", key,
				       QUOTE(name ? name : "what is no string"));
		if (asprintf(&path, "%s/%s", dir, name) < 0)
			return err_oom(err);
		if (strv_take(&p->masks, path) < 0)
			return err_oom(err);
	}
	return r;
}

static int add_idle(const struct json *group, struct boot_profile *p, struct err *err)
{
	int r = json_member_strv(group, "idleGenerators", JSON_OPTIONAL, &p->idle_generators, err);

	for (char **name = p->idle_generators; r == 0 && name && *name; name++) {
		if (!boot_generator_known(*name))
			return err_set(err, ERR_CORRUPT, -EBADMSG,
				       "idleGenerators: nothing is known about %s", QUOTE(*name));
	}
	return r;
}

/* The names of @from are copied to *to. */
static int append(char ***to, char *const *from, struct err *err)
{
	for (; from && *from; from++) {
		if (strv_add(to, *from) < 0)
			return err_oom(err);
	}
	return 0;
}

/* Decoded also where it is not wanted, so that a mistake shows everywhere. */
static int add_group(const struct json *group, bool credentials, struct boot_profile *ret,
		     struct err *err)
{
	AUTO(boot_profile) p = { 0 };
	bool reads_credentials = false;
	const char *reason;
	int r = json_member_string(group, "reason", JSON_REQUIRED, &reason, err);

	if (r == 0)
		r = json_member_bool(group, "readsCredentials", JSON_OPTIONAL, &reads_credentials,
				     err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = add_names(group, kinds[i].key, kinds[i].dir, &p, err);
	if (r == 0)
		r = add_idle(group, &p, err);
	if (r < 0 || (credentials && reads_credentials))
		return r;
	r = append(&ret->masks, p.masks, err);
	return r < 0 ? r : append(&ret->idle_generators, p.idle_generators, err);
}

static const struct json *find_profile(const struct json *profiles, const char *name)
{
	for (size_t i = 0; i < json_len(profiles); i++) {
		const char *found = json_string(json_get(json_at(profiles, i), "name"));

		if (found && strcmp(found, name) == 0)
			return json_at(profiles, i);
	}
	return NULL;
}

static int add_groups(const struct json *profile, bool credentials, struct boot_profile *p,
		      struct err *err)
{
	const struct json *groups = NULL;
	int r = json_member_array(profile, "leaveOut", JSON_REQUIRED, &groups, err);

	for (size_t i = 0; r == 0 && i < json_len(groups); i++) {
		r = add_group(json_at(groups, i), credentials, p, err);
		if (r < 0)
			return err_prefix(err, r, "leaveOut[%zu]", i);
	}
	return r;
}

static int unknown_profile(const struct json *profiles, const char *name, struct err *err)
{
	AUTO(strbuf) names = STRBUF_INIT(NAMES_TEXT_MAX);

	for (size_t i = 0; i < json_len(profiles); i++) {
		const char *known = json_string(json_get(json_at(profiles, i), "name"));

		if (known && strbuf_addf(&names, "%s\"%s\"", i > 0 ? ", " : "", known) < 0)
			break;
	}
	return err_set(err, ERR_USAGE, -ENOENT, "unknown boot profile %s: must be one of %s",
		       QUOTE(name), strbuf_str(&names));
}

int boot_profile_parse(const char *text, size_t len, const char *name, bool credentials,
		       struct boot_profile *ret, struct err *err)
{
	AUTO(boot_profile) p = { 0 };
	AUTO_PTR(json) doc = NULL;
	const struct json *profiles = NULL, *profile;
	int r = json_parse(text, len, &doc, err);

	if (r == 0)
		r = json_member_array(doc, "profiles", JSON_REQUIRED, &profiles, err);
	if (r < 0)
		return err_prefix(err, r, "read boot profiles");
	profile = find_profile(profiles, name);
	if (!profile)
		return unknown_profile(profiles, name, err);
	r = add_groups(profile, credentials, &p, err);
	if (r < 0)
		return err_prefix(err, r, "read boot profile %s", QUOTE(name));
	*ret = p;
	p = (struct boot_profile){ 0 };
	return 0;
}

int boot_profile_load(const char *name, bool credentials, struct boot_profile *ret, struct err *err)
{
	return boot_profile_parse(config_boot_profile, config_boot_profile_len, name, credentials,
				  ret, err);
}
