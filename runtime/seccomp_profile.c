// SPDX-License-Identifier: MIT
/* Decoding seccomp policies: tables for what has a name, one function a level of the document. */
#include "runtime/seccomp_profile.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/quote.h"
#include "runtime/caps.h"

#define ERRNO_MAX 4095 /* more does not reach user space as an errno */

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
};

static const char *const ops[SECCOMP_OP_MAX] = {
	[SECCOMP_OP_NE] = "SCMP_CMP_NE",
	[SECCOMP_OP_LT] = "SCMP_CMP_LT",
	[SECCOMP_OP_LE] = "SCMP_CMP_LE",
	[SECCOMP_OP_EQ] = "SCMP_CMP_EQ",
	[SECCOMP_OP_GE] = "SCMP_CMP_GE",
	[SECCOMP_OP_GT] = "SCMP_CMP_GT",
	[SECCOMP_OP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

void seccomp_profile_done(struct seccomp_profile *profile)
{
	free(profile->rules);
	json_free(profile->doc);
	*profile = (struct seccomp_profile){ 0 };
}

static int decode_action(const struct json *obj, const char *key, const char *errno_key,
			 uint32_t *ret, struct err *err)
{
	const char *name;
	int64_t number = EPERM;
	int r = json_member_string(obj, key, JSON_REQUIRED, &name, err);

	if (r < 0)
		return r;
	r = json_member_int(obj, errno_key, JSON_OPTIONAL, &number, err);
	if (r < 0)
		return r;
	if (number < 0 || number > ERRNO_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is no error number", errno_key);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		*ret = actions[i].action;
		if (*ret == SECCOMP_RET_ERRNO)
			*ret |= (uint32_t)number;
		return 0;
	}
	return err_set(err, ERR_CORRUPT, -EBADMSG, "%s %s is unknown", key, QUOTE(name));
}

static int decode_unsigned(const struct json *obj, const char *key, bool required, uint64_t *ret,
			   struct err *err)
{
	int64_t number = 0;
	int r = json_member_int(obj, key, required, &number, err);

	if (r < 0)
		return r;
	if (number < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is negative", key);
	*ret = (uint64_t)number;
	return 0;
}

static int decode_arg(const struct json *obj, struct seccomp_arg *ret, struct err *err)
{
	struct seccomp_arg arg = { .op = SECCOMP_OP_MAX };
	const char *op;
	uint64_t index = 0;
	int r = decode_unsigned(obj, "index", JSON_REQUIRED, &index, err);

	if (r == 0)
		r = decode_unsigned(obj, "value", JSON_REQUIRED, &arg.value, err);
	if (r == 0)
		r = decode_unsigned(obj, "valueTwo", JSON_OPTIONAL, &arg.value_two, err);
	if (r == 0)
		r = json_member_string(obj, "op", JSON_REQUIRED, &op, err);
	if (r < 0)
		return r;
	if (index >= SECCOMP_ARGS_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "index of an argument is above %d",
			       SECCOMP_ARGS_MAX - 1);
	arg.index = (unsigned int)index;
	for (unsigned int i = 0; i < SECCOMP_OP_MAX; i++) {
		if (strcmp(op, ops[i]) == 0)
			arg.op = (enum seccomp_op)i;
	}
	if (arg.op == SECCOMP_OP_MAX)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "op %s is unknown", QUOTE(op));
	*ret = arg;
	return 0;
}

static int decode_args(const struct json *group, struct seccomp_rule *rule, struct err *err)
{
	const struct json *list = NULL;
	unsigned int seen = 0;
	int r = json_member_array(group, "args", JSON_OPTIONAL, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_len(list); i++) {
		struct seccomp_arg arg;

		r = decode_arg(json_at(list, i), &arg, err);
		if (r < 0)
			return r;
		/* so that n_args stays in bounds, and because a filter cannot express it */
		if (seen & (1U << arg.index))
			return err_set(err, ERR_CORRUPT, -EBADMSG,
				       "two conditions on argument %u of a system call", arg.index);
		seen |= 1U << arg.index;
		rule->args[rule->n_args++] = arg;
	}
	return 0;
}

/* "4.8": whether the target's kernel is that or newer. */
static int kernel_at_least(const char *text, const struct seccomp_target *target, bool *ret,
			   struct err *err)
{
	unsigned int number[2] = { 0 };
	const char *p = text;

	for (int i = 0; i < 2; i++) {
		const char *start = p;

		while (isdigit((unsigned char)*p) && p - start < 4)
			number[i] = number[i] * 10 + (unsigned int)(*p++ - '0');
		if (p == start || *p != (i == 0 ? '.' : '\0'))
			return err_set(err, ERR_CORRUPT, -EBADMSG,
				       "minKernel %s is no kernel version", QUOTE(text));
		p++;
	}
	*ret = target->kernel_major > number[0] ||
	       (target->kernel_major == number[0] && target->kernel_minor >= number[1]);
	return 0;
}

/* How many of a list of strings are true of the target. */
static int count_matches(const struct json *filter, const char *key,
			 bool (*matches)(const char *name, const struct seccomp_target *target),
			 const struct seccomp_target *target, size_t *ret, struct err *err)
{
	const struct json *list = NULL;
	size_t n = 0;
	int r = json_member_array(filter, key, JSON_OPTIONAL, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < json_len(list); i++) {
		const char *name = json_string(json_at(list, i));

		if (!name)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "%s holds what is no string",
				       key);
		n += matches(name, target);
	}
	*ret = n;
	return 0;
}

/* A capability that libcap does not know is one that nobody has. */
static bool cap_matches(const char *name, const struct seccomp_target *target)
{
	int cap = caps_from_name(name);

	return cap >= 0 && (target->caps >> cap & 1);
}

static bool arch_matches(const char *name, const struct seccomp_target *target)
{
	return strcmp(name, target->arch) == 0;
}

/* What a group's "includes" or "excludes" says of the target. */
struct match {
	size_t n_caps, caps; /* named, and had */
	size_t n_arches, arches;
	bool has_kernel, kernel;
};

static int match_filter(const struct json *group, const char *key,
			const struct seccomp_target *target, struct match *ret, struct err *err)
{
	const struct json *filter = NULL;
	const char *kernel = NULL;
	struct match m = { 0 };
	int r = json_member_object(group, key, JSON_OPTIONAL, &filter, err);

	if (r == 0 && filter) {
		r = count_matches(filter, "caps", cap_matches, target, &m.caps, err);
		if (r == 0)
			r = count_matches(filter, "arches", arch_matches, target, &m.arches, err);
		if (r == 0)
			r = json_member_string(filter, "minKernel", JSON_OPTIONAL, &kernel, err);
		if (r == 0 && kernel)
			r = kernel_at_least(kernel, target, &m.kernel, err);
	}
	if (r < 0)
		return r;
	m.n_caps = json_len(json_get(filter, "caps"));
	m.n_arches = json_len(json_get(filter, "arches"));
	m.has_kernel = kernel;
	*ret = m;
	return 0;
}

static int group_applies(const struct json *group, const struct seccomp_target *target, bool *ret,
			 struct err *err)
{
	struct match in, out;
	int r = match_filter(group, "includes", target, &in, err);

	if (r < 0)
		return err_prefix(err, r, "includes");
	r = match_filter(group, "excludes", target, &out, err);
	if (r < 0)
		return err_prefix(err, r, "excludes");
	*ret = in.caps == in.n_caps && (in.n_arches == 0 || in.arches > 0) &&
	       (!in.has_kernel || in.kernel) && out.caps == 0 && out.arches == 0 && !out.kernel;
	return 0;
}

/* One group of names with the same action: checked also where it does not apply, so that a broken policy is broken everywhere. */
static int decode_group(const struct json *group, const struct seccomp_target *target,
			struct seccomp_profile *profile, struct err *err)
{
	struct seccomp_rule rule = { 0 };
	const struct json *names = NULL;
	struct seccomp_rule *grown;
	bool applies = false;
	int r = json_member_array(group, "names", JSON_REQUIRED, &names, err);

	if (r == 0)
		r = decode_action(group, "action", "errnoRet", &rule.action, err);
	if (r == 0)
		r = decode_args(group, &rule, err);
	if (r == 0)
		r = group_applies(group, target, &applies, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_len(names); i++) {
		if (!json_string(json_at(names, i)))
			return err_set(err, ERR_CORRUPT, -EBADMSG, "names holds what is no string");
	}
	if (!applies || json_len(names) == 0)
		return 0;
	if (json_len(names) > SECCOMP_RULES_MAX - profile->n_rules)
		return err_set(err, ERR_CORRUPT, -E2BIG, "more than %d rules", SECCOMP_RULES_MAX);
	grown = reallocarray(profile->rules, profile->n_rules + json_len(names), sizeof(rule));
	if (!grown)
		return err_oom(err);
	profile->rules = grown;
	for (size_t i = 0; i < json_len(names); i++) {
		rule.name = json_string(json_at(names, i));
		profile->rules[profile->n_rules++] = rule;
	}
	return 0;
}

/* A machine without a row in archMap has no sub-architectures. */
static int decode_arch_map(const struct seccomp_target *target, struct seccomp_profile *profile,
			   struct err *err)
{
	const struct json *map = NULL, *sub = NULL;
	int r = json_member_array(profile->doc, "archMap", JSON_OPTIONAL, &map, err);

	for (size_t i = 0; r == 0 && i < json_len(map); i++) {
		const char *arch;

		r = json_member_string(json_at(map, i), "architecture", JSON_REQUIRED, &arch, err);
		if (r == 0 && strcmp(arch, target->scmp_arch) == 0)
			r = json_member_array(json_at(map, i), "subArchitectures", JSON_OPTIONAL,
					      &sub, err);
	}
	if (r < 0)
		return err_prefix(err, r, "archMap");
	if (json_len(sub) > SECCOMP_ARCHES_MAX)
		return err_set(err, ERR_CORRUPT, -E2BIG, "more than %d subArchitectures",
			       SECCOMP_ARCHES_MAX);
	for (size_t i = 0; i < json_len(sub); i++) {
		const char *name = json_string(json_at(sub, i));

		if (!name)
			return err_set(err, ERR_CORRUPT, -EBADMSG,
				       "subArchitectures holds what is no string");
		profile->sub_arches[profile->n_sub_arches++] = name;
	}
	return 0;
}

int seccomp_profile_decode(const char *text, size_t len, const struct seccomp_target *target,
			   struct seccomp_profile *ret, struct err *err)
{
	AUTO(seccomp_profile) profile = { 0 };
	const struct json *groups = NULL;
	int r = json_parse(text, len, &profile.doc, err);

	if (r == 0)
		r = decode_action(profile.doc, "defaultAction", "defaultErrnoRet",
				  &profile.default_action, err);
	if (r == 0)
		r = decode_arch_map(target, &profile, err);
	if (r == 0)
		r = json_member_array(profile.doc, "syscalls", JSON_OPTIONAL, &groups, err);
	if (r < 0)
		return err_prefix(err, r, "decode seccomp policy");
	for (size_t i = 0; i < json_len(groups); i++) {
		r = decode_group(json_at(groups, i), target, &profile, err);
		if (r < 0)
			return err_prefix(err, r, "decode seccomp policy: syscalls[%zu]", i);
	}
	*ret = profile;
	profile = (struct seccomp_profile){ 0 };
	return 0;
}
