// SPDX-License-Identifier: MIT
/* Global flags and environment become directories (see settings.h). */
#include "provision/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"

static const char *env_nonempty(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int join(const char *dir, const char *rest, char **ret, struct err *err)
{
	if (asprintf(ret, "%s%s", dir, rest) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

/* Layers are named to the kernel by absolute path, and later parts change directory. */
static int make_absolute(const char *path, char **ret, struct err *err)
{
	char cwd[PATH_MAX];
	size_t len = strlen(path);

	if (len >= PATH_MAX / 2)
		return err_set(err, ERR_USAGE, -ENAMETOOLONG, "use %s as root: path too long",
			       QUOTE(path));
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (path[0] == '/') {
		*ret = strndup(path, len);
		return *ret ? 0 : err_oom(err);
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(err, ERR_SYSTEM, "get current directory");
	if (asprintf(ret, "%s/%.*s", strcmp(cwd, "/") == 0 ? "" : cwd, (int)len, path) < 0) {
		*ret = NULL;
		return err_oom(err);
	}
	return 0;
}

static int below_one_root(const char *root, struct settings *s, struct err *err)
{
	int r = make_absolute(root, &s->store_dir, err);

	if (r >= 0)
		r = join(s->store_dir, "/cache", &s->cache_dir, err);
	if (r >= 0)
		r = join(s->store_dir, "/run", &s->state_dir, err);
	return r;
}

static int of_root_user(struct settings *s, struct err *err)
{
	int r = join("/var/lib/postroj", "", &s->store_dir, err);

	if (r >= 0)
		r = join("/var/cache/postroj", "", &s->cache_dir, err);
	if (r >= 0)
		r = join("/run/racker", "", &s->state_dir, err);
	return r;
}

/* One XDG directory: $NAME/racker, or $HOME + @fallback. */
static int xdg_dir(const char *name, const char *fallback, char **ret, struct err *err)
{
	const char *dir = env_nonempty(name), *home = env_nonempty("HOME");

	/* XDG base directory specification: a relative value is to be ignored. */
	if (dir && dir[0] == '/')
		return join(dir, "/racker", ret, err);
	if (!home || home[0] != '/')
		return err_set(err, ERR_USAGE, -ENOENT,
			       "find a place for images: neither %s nor HOME is set (use --root)",
			       name);
	return join(home, fallback, ret, err);
}

static int of_other_user(struct settings *s, struct err *err)
{
	int r = xdg_dir("XDG_DATA_HOME", "/.local/share/racker", &s->store_dir, err);

	if (r >= 0)
		r = xdg_dir("XDG_CACHE_HOME", "/.cache/racker", &s->cache_dir, err);
	if (r >= 0)
		r = xdg_dir("XDG_RUNTIME_DIR", "/.local/state/racker/run", &s->state_dir, err);
	return r;
}

int settings_init(const char *root, struct settings *ret, struct err *err)
{
	AUTO(settings) s = { 0 };
	const char *strict = env_nonempty("RACKER_STRICT");
	int r;

	if (root && !*root)
		return err_set(err, ERR_USAGE, -EINVAL, "use an empty path as root");
	if (!root)
		root = env_nonempty("RACKER_ROOT");
	if (root)
		r = below_one_root(root, &s, err);
	else if (geteuid() == 0)
		r = of_root_user(&s, err);
	else
		r = of_other_user(&s, err);
	if (r < 0)
		return r;
	s.strict_tty = strict && strcmp(strict, "0") != 0;
	*ret = s;
	s = (struct settings){ 0 };
	return 0;
}

void settings_done(struct settings *s)
{
	free(s->store_dir);
	free(s->cache_dir);
	free(s->state_dir);
	*s = (struct settings){ 0 };
}
