// SPDX-License-Identifier: MIT
/* Names of tar entries (see entry_path.h). Lexical only: symlinks are dir_stack.c's business. */
#include "oci/entry_path.h"

#include <errno.h>
#include <string.h>

int entry_path_clean(const char *raw, char buf[static PATH_MAX], struct err *err)
{
	const char *p = raw;
	size_t len = 0;

	for (;;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 0)
			break;
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(err, ERR_CORRUPT, -EBADMSG, "names with \"..\" are refused");
		if (n > NAME_MAX || len + 1 + n >= PATH_MAX)
			return err_set(err, ERR_CORRUPT, -EBADMSG, "name is too long");
		if (n != 1 || p[0] != '.') {
			if (len > 0)
				buf[len++] = '/';
			memcpy(buf + len, p, n);
			len += n;
		}
		p += n;
	}
	buf[len] = '\0';
	return 0;
}

void entry_path_split(char *path, const char **ret_parent, const char **ret_name)
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		*ret_name = path;
		*ret_parent = "";
		return;
	}
	*slash = '\0';
	*ret_name = slash + 1;
	*ret_parent = path;
}
