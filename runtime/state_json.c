// SPDX-License-Identifier: MIT
/* A container's state as text (see state_json.h). One table says which members there are; argv, env and layers are the lists. */
#include "runtime/state_json.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/strv.h"
#include "runtime/state.h"

enum member_type { MEMBER_STRING, MEMBER_INT, MEMBER_PID, MEMBER_BOOL, MEMBER_STRV };

struct member {
	const char *key;
	enum member_type type;
	bool required;
	size_t offset;
};

#define ROW(key, type, member)                                                     \
	{                                                                          \
		key, type, JSON_OPTIONAL, offsetof(struct container_state, member) \
	}

static const struct member members[] = {
	{ "id", MEMBER_STRING, JSON_REQUIRED, offsetof(struct container_state, id) },
	{ "name", MEMBER_STRING, JSON_REQUIRED, offsetof(struct container_state, name) },
	ROW("image", MEMBER_STRING, image),
	ROW("hostname", MEMBER_STRING, hostname),
	ROW("cgroup", MEMBER_STRING, cgroup),
	ROW("pid", MEMBER_PID, pid),
	ROW("pidStart", MEMBER_INT, pid_start),
	ROW("started", MEMBER_INT, started),
	ROW("boot", MEMBER_BOOL, boot),
	ROW("userns", MEMBER_BOOL, userns),
	ROW("user", MEMBER_STRING, user),
	ROW("workdir", MEMBER_STRING, workdir),
	ROW("caps", MEMBER_INT, caps),
	ROW("seccomp", MEMBER_STRING, seccomp),
	ROW("noNewPrivs", MEMBER_BOOL, no_new_privs),
	ROW("suppressSync", MEMBER_BOOL, suppress_sync),
	ROW("argv", MEMBER_STRV, argv),
	ROW("env", MEMBER_STRV, env),
};

static const void *at(const struct container_state *s, const struct member *m)
{
	return (const char *)s + m->offset;
}

void container_state_done(struct container_state *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const void *p = at(s, &members[i]);

		if (members[i].type == MEMBER_STRING)
			free(*(char *const *)p);
		if (members[i].type == MEMBER_STRV)
			strv_free(*(char **const *)p);
	}
	free(s->layers);
	*s = (struct container_state){ 0 };
}

void container_states_free(struct container_state *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		container_state_done(&list[i]);
	free(list);
}

static void encode_member(struct json_writer *w, const struct container_state *s,
			  const struct member *m)
{
	const void *p = at(s, m);

	jw_key(w, m->key);
	switch (m->type) {
	case MEMBER_STRING:
		jw_string(w, *(char *const *)p);
		break;
	case MEMBER_INT:
		jw_int(w, *(const int64_t *)p);
		break;
	case MEMBER_PID:
		jw_int(w, *(const pid_t *)p);
		break;
	case MEMBER_BOOL:
		jw_bool(w, *(const bool *)p);
		break;
	case MEMBER_STRV:
		jw_strv(w, *(char **const *)p);
		break;
	}
}

int state_encode(const struct container_state *s, struct strbuf *out)
{
	struct json_writer *w;
	char digest[DIGEST_STR_MAX];
	int r = json_write_begin(out, false, &w);

	if (r < 0)
		return r;
	jw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		encode_member(w, s, &members[i]);
	jw_key(w, "layers");
	jw_array(w);
	for (size_t i = 0; i < s->n_layers; i++)
		jw_string(w, digest_str(&s->layers[i], digest));
	jw_array_end(w);
	jw_object_end(w);
	return json_write_end(w);
}

static int decode_string(const struct json *doc, const struct member *m, char **ret,
			 struct err *err)
{
	const char *text = NULL;
	int r = json_member_string(doc, m->key, m->required, &text, err);

	if (r < 0 || !text)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : err_oom(err);
}

static int decode_pid(const struct json *doc, const struct member *m, pid_t *ret, struct err *err)
{
	int64_t pid = 0;
	int r = json_member_int(doc, m->key, m->required, &pid, err);

	if (r == 0 && (pid < 0 || pid > INT_MAX))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is no process", m->key);
	*ret = (pid_t)pid;
	return r;
}

static int decode_member(const struct json *doc, const struct member *m, struct container_state *s,
			 struct err *err)
{
	void *p = (char *)s + m->offset;

	switch (m->type) {
	case MEMBER_STRING:
		return decode_string(doc, m, p, err);
	case MEMBER_INT:
		return json_member_int(doc, m->key, m->required, p, err);
	case MEMBER_PID:
		return decode_pid(doc, m, p, err);
	case MEMBER_BOOL:
		return json_member_bool(doc, m->key, m->required, p, err);
	case MEMBER_STRV:
		return json_member_strv(doc, m->key, m->required, p, err);
	}
	return 0;
}

static int decode_layers(const struct json *doc, struct container_state *s, struct err *err)
{
	const struct json *layers = NULL;
	int r = json_member_array(doc, "layers", JSON_REQUIRED, &layers, err);

	if (r < 0)
		return r;
	s->layers = calloc(json_len(layers) + 1, sizeof(*s->layers));
	if (!s->layers)
		return err_oom(err);
	for (size_t i = 0; r == 0 && i < json_len(layers); i++) {
		const char *text = json_string(json_at(layers, i));
		r = digest_parse(text ? text : "", &s->layers[i], err);
		s->n_layers = i + 1;
	}
	return r;
}

int state_decode(const char *text, size_t len, struct container_state *s, struct err *err)
{
	AUTO_PTR(json) doc = NULL;
	int r = json_parse(text, len, &doc, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++)
		r = decode_member(doc, &members[i], s, err);
	return r < 0 ? r : decode_layers(doc, s, err);
}
