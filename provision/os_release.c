// SPDX-License-Identifier: MIT
/* os-release(5) (see os_release.h): shell assignments without any expansion. */
#include "provision/os_release.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Undoes the quoting of a value in place: quotes at both ends, backslashes before any character. */
static void unquote(char *value)
{
	char quote = *value == '"' || *value == '\'' ? *value : '\0';
	char *in = value + (quote != '\0'), *out = value;

	while (*in && *in != quote) {
		if (*in == '\\' && quote != '\'' && in[1])
			in++;
		*out++ = *in++;
	}
	*out = '\0';
}

int os_release_get(const char *text, const char *field, char **ret, struct err *err)
{
	size_t n = strlen(field);
	AUTO_FREE char *found = NULL;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > n && strncmp(text, field, n) == 0 && text[n] == '=') {
			free(found);
			found = strndup(text + n + 1, len - n - 1);
			if (!found)
				return err_oom(err);
			unquote(found);
		}
		text += len + (text[len] == '\n');
	}
	*ret = MOVE_PTR(found);
	return 0;
}
