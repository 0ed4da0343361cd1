// SPDX-License-Identifier: MIT
/* Typed access to members of JSON objects (see json.h): what is missing or of another type is named. */
#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/quote.h"
#include "base/strv.h"

/* Return: 1 and *ret, 0 if it is absent and may be, -EBADMSG */
static int member(const struct json *obj, const char *key, bool required, enum json_type type,
		  const struct json **ret, struct err *err)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	     [JSON_BOOL] = "a boolean",	 [JSON_INT] = "an integer",
		[JSON_DOUBLE] = "a number",  [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object",
	};
	const struct json *v = json_get(obj, key);

	if (!v && required)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is missing", QUOTE(key));
	if (!v)
		return 0;
	if (json_type(v) != type)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is not %s", QUOTE(key), names[type]);
	*ret = v;
	return 1;
}

int json_member_string(const struct json *obj, const char *key, bool required, const char **ret,
		       struct err *err)
{
	const struct json *v;
	int r = member(obj, key, required, JSON_STRING, &v, err);

	if (r > 0)
		*ret = json_string(v);
	return r < 0 ? r : 0;
}

int json_member_int(const struct json *obj, const char *key, bool required, int64_t *ret,
		    struct err *err)
{
	const struct json *v;
	int r = member(obj, key, required, JSON_INT, &v, err);

	if (r > 0)
		(void)json_int(v, ret);
	return r < 0 ? r : 0;
}

int json_member_bool(const struct json *obj, const char *key, bool required, bool *ret,
		     struct err *err)
{
	const struct json *v;
	int r = member(obj, key, required, JSON_BOOL, &v, err);

	if (r > 0)
		*ret = json_bool(v, false);
	return r < 0 ? r : 0;
}

int json_member_strv(const struct json *obj, const char *key, bool required, char ***ret,
		     struct err *err)
{
	AUTO_STRV copy = NULL;
	const struct json *v = NULL;
	size_t n;
	int r = member(obj, key, required, JSON_ARRAY, &v, err);

	if (r < 0)
		return r;
	n = json_len(v);
	if (n) {
		copy = calloc(n + 1, sizeof(*copy));
		if (!copy)
			return err_oom(err);
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string(json_at(v, i));

		if (!text)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "%s is not an array of strings",
				       QUOTE(key));
		copy[i] = strdup(text);
		if (!copy[i])
			return err_oom(err);
	}
	*ret = MOVE_PTR(copy);
	return 0;
}

static int member_container(const struct json *obj, const char *key, bool required,
			    enum json_type type, const struct json **ret, struct err *err)
{
	const struct json *v = NULL;
	int r = member(obj, key, required, type, &v, err);

	if (r < 0)
		return r;
	*ret = v;
	return 0;
}

int json_member_object(const struct json *obj, const char *key, bool required,
		       const struct json **ret, struct err *err)
{
	return member_container(obj, key, required, JSON_OBJECT, ret, err);
}

int json_member_array(const struct json *obj, const char *key, bool required,
		      const struct json **ret, struct err *err)
{
	return member_container(obj, key, required, JSON_ARRAY, ret, err);
}
