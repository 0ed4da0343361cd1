// SPDX-License-Identifier: MIT
// Image configurations, decoded into what running an image needs.
#include "oci/image_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/quote.h"
#include "oci/manifest.h"

void image_config_done(struct image_config *c)
{
	if (!c)
		return;
	free(c->created);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	strv_free(c->env);
	strv_free(c->entrypoint);
	strv_free(c->cmd);
	strv_free(c->exposed_ports);
	strv_free(c->volumes);
	strv_free(c->labels);
	free(c->diff_ids);
	*c = (struct image_config){ 0 };
}

static int member_text(const struct json *obj, const char *key, size_t max, char **ret,
		       struct err *err)
{
	const char *text = NULL;
	int r = json_member_string(obj, key, JSON_OPTIONAL, &text, err);

	if (r < 0)
		return r;
	if (!text || !*text)
		return 0;
	if (strlen(text) > max)
		return err_set(err, ERR_CORRUPT, -E2BIG, "%s is longer than %zu bytes", key, max);
	*ret = strdup(text);
	return *ret ? 0 : err_oom(err);
}

static int check_length(const struct json *list, const char *key, size_t max, struct err *err)
{
	if (json_len(list) > max)
		return err_set(err, ERR_CORRUPT, -E2BIG, "%s has %zu members, more than %zu", key,
			       json_len(list), max);
	return 0;
}

static int member_list(const struct json *obj, const char *key, char ***ret, struct err *err)
{
	const struct json *list = NULL;
	int r = json_member_array(obj, key, JSON_OPTIONAL, &list, err);

	if (r == 0)
		r = check_length(list, key, IMAGE_LIST_MAX, err);
	return r < 0 ? r : json_member_strv(obj, key, JSON_OPTIONAL, ret, err);
}

/* A command line: docker also takes a plain string, as its one word. */
static int member_words(const struct json *obj, const char *key, char ***ret, struct err *err)
{
	const char *word = json_string(json_get(obj, key));

	if (!word)
		return member_list(obj, key, ret, err);
	return strv_add(ret, word) < 0 ? err_oom(err) : 0;
}

/* Go's sets: an object whose keys count and whose values are empty objects. */
static int member_keys(const struct json *obj, const char *key, char ***ret, struct err *err)
{
	const struct json *set = NULL;
	int r = json_member_object(obj, key, JSON_OPTIONAL, &set, err);

	if (r == 0)
		r = check_length(set, key, IMAGE_LIST_MAX, err);
	for (size_t i = 0; r == 0 && i < json_len(set); i++) {
		if (strv_add(ret, json_key_at(set, i)) < 0)
			return err_oom(err);
	}
	return r;
}

static int member_labels(const struct json *obj, char ***ret, struct err *err)
{
	const struct json *labels = NULL;
	int r = json_member_object(obj, "Labels", JSON_OPTIONAL, &labels, err);
	size_t n = json_len(labels);

	if (r == 0)
		r = check_length(labels, "Labels", IMAGE_LABELS_MAX, err);
	if (r < 0 || n == 0)
		return r;
	/* At once, and by place below: growing and searching step by step is too slow for so many. */
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		const char *key = json_key_at(labels, i), *value = "";

		if (json_type(json_at(labels, i)) != JSON_NULL)
			value = json_string(json_at(labels, i));
		if (!value)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "Labels: %s is not a string",
				       QUOTE(key));
		if (asprintf(&(*ret)[i], "%s=%s", key, value) < 0) {
			(*ret)[i] = NULL;
			return err_oom(err);
		}
	}
	return 0;
}

static int decode_platform(const struct json *doc, struct platform *ret, struct err *err)
{
	const char *os = NULL, *arch = NULL, *variant = NULL;
	int r = json_member_string(doc, "os", JSON_OPTIONAL, &os, err);

	if (r == 0)
		r = json_member_string(doc, "architecture", JSON_OPTIONAL, &arch, err);
	if (r == 0)
		r = json_member_string(doc, "variant", JSON_OPTIONAL, &variant, err);
	if (r < 0)
		return r;
	if (platform_set(ret, os, arch, variant) < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "platform %s/%s is malformed",
			       QUOTE_PLAIN(os ? os : ""), QUOTE_PLAIN(arch ? arch : ""));
	return 0;
}

static int decode_process(const struct json *doc, struct image_config *c, struct err *err)
{
	const struct json *config = NULL;
	int r = json_member_object(doc, "config", JSON_OPTIONAL, &config, err);

	if (r < 0 || !config)
		return r;
	r = member_text(config, "User", IMAGE_USER_MAX, &c->user, err);
	if (r == 0)
		r = member_text(config, "WorkingDir", IMAGE_TEXT_MAX, &c->workdir, err);
	if (r == 0)
		r = member_text(config, "StopSignal", IMAGE_TEXT_MAX, &c->stop_signal, err);
	if (r == 0)
		r = member_list(config, "Env", &c->env, err);
	if (r == 0)
		r = member_words(config, "Entrypoint", &c->entrypoint, err);
	if (r == 0)
		r = member_words(config, "Cmd", &c->cmd, err);
	if (r == 0)
		r = member_keys(config, "ExposedPorts", &c->exposed_ports, err);
	if (r == 0)
		r = member_keys(config, "Volumes", &c->volumes, err);
	if (r == 0)
		r = member_labels(config, &c->labels, err);
	return r < 0 ? err_prefix(err, r, "config") : 0;
}

static int decode_diff_id(const struct json *v, struct digest *ret, struct err *err)
{
	const char *text = json_string(v);
	int r;

	if (!text)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "not a string");
	r = digest_parse(text, ret, NULL);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNSUPPORTED, r,
			       "%s: unsupported digest algorithm, racker verifies sha256 only",
			       QUOTE(text));
	if (r < 0)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is not a digest", QUOTE(text));
	return 0;
}

static int decode_diff_ids(const struct json *rootfs, struct image_config *c, struct err *err)
{
	const struct json *list = NULL;
	int r = json_member_array(rootfs, "diff_ids", JSON_OPTIONAL, &list, err);
	size_t n = json_len(list);

	if (r < 0 || n == 0)
		return r;
	if (n > LAYERS_MAX)
		return err_set(err, ERR_CORRUPT, -E2BIG, "diff_ids has %zu members, more than %d",
			       n, LAYERS_MAX);
	c->diff_ids = calloc(n, sizeof(*c->diff_ids));
	if (!c->diff_ids)
		return err_oom(err);
	for (size_t i = 0; i < n; i++) {
		r = decode_diff_id(json_at(list, i), &c->diff_ids[i], err);
		if (r < 0)
			return err_prefix(err, r, "diff_ids: member %zu", i);
	}
	c->n_diff_ids = n;
	return 0;
}

static int decode_rootfs(const struct json *doc, struct image_config *c, struct err *err)
{
	const struct json *rootfs;
	const char *type;
	int r = json_member_object(doc, "rootfs", JSON_REQUIRED, &rootfs, err);

	if (r < 0)
		return r;
	r = json_member_string(rootfs, "type", JSON_REQUIRED, &type, err);
	if (r == 0 && strcmp(type, "layers") != 0)
		r = err_set(err, ERR_CORRUPT, -EBADMSG, "type %s is not \"layers\"", QUOTE(type));
	if (r == 0)
		r = decode_diff_ids(rootfs, c, err);
	return r < 0 ? err_prefix(err, r, "rootfs") : 0;
}

static int decode(const struct json *doc, struct image_config *c, struct err *err)
{
	int r;

	if (json_type(doc) != JSON_OBJECT)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "not a JSON object");
	r = decode_platform(doc, &c->platform, err);
	if (r == 0)
		r = member_text(doc, "created", IMAGE_TEXT_MAX, &c->created, err);
	if (r == 0)
		r = decode_process(doc, c, err);
	if (r == 0)
		r = decode_rootfs(doc, c, err);
	return r;
}

int image_config_decode(const char *text, size_t len, struct image_config *ret, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	struct image_config c = { 0 };
	int r;

	if (len > IMAGE_CONFIG_BYTES_MAX)
		return err_set(err, ERR_CORRUPT, -E2BIG,
			       "image config: %zu bytes are more than %zu", len,
			       IMAGE_CONFIG_BYTES_MAX);
	r = json_parse(text, len, &doc, err);
	if (r == 0)
		r = decode(doc, &c, err);
	if (r < 0) {
		image_config_done(&c);
		return err_prefix(err, r, "image config");
	}
	*ret = c;
	return 0;
}

int chain_id(const struct digest *diff_ids, size_t n, struct digest *ret, struct err *err)
{
	struct digest chain;

	if (n == 0)
		return err_set(err, ERR_CORRUPT, -EINVAL, "no layer has no chain ID");
	chain = diff_ids[0];
	for (size_t i = 1; i < n; i++) {
		char pair[2 * DIGEST_STR_MAX];
		int len = snprintf(pair, sizeof(pair), "%s %s", DIGEST_STR(&chain),
				   DIGEST_STR(&diff_ids[i]));
		int r = digest_buffer(pair, (size_t)len, &chain, err);

		if (r < 0)
			return r;
	}
	*ret = chain;
	return 0;
}
