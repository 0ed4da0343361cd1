// SPDX-License-Identifier: MIT
/*
 * The store's directories, its lock and its documents (see store.h for the layout).
 *
 * Order of publishing an image: layers are written under ingest/, synced, renamed to their key; documents are written; the record comes
 * last. So whatever a record names is whole. Order of removing: the record first, then, under the exclusive lock, what no record names.
 */
#include "oci/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quote.h"
#include "oci/remove_tree.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int open_dir_at(int dir_fd, const char *name, bool create, mode_t mode)
{
	int fd = openat(dir_fd, name, OPEN_DIR);

	if (fd >= 0 || errno != ENOENT || !create)
		return fd < 0 ? -errno : fd;
	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, name, OPEN_DIR);
	return fd < 0 ? -errno : fd;
}

/* The path is the user's own: parents are made as mkdir -p would. */
static int open_root(const char *path, bool create, int *ret)
{
	AUTO_FREE char *copy = strdup(path);
	AUTO_CLOSE int fd = -EBADF;
	char *p = copy, *next;

	if (!copy)
		return -ENOMEM;
	if (!create) {
		fd = open_dir_at(AT_FDCWD, path, false, 0);
		if (fd < 0)
			return fd;
		*ret = MOVE_FD(fd);
		return 0;
	}
	fd = open(*p == '/' ? "/" : ".", OPEN_DIR);
	for (; fd >= 0 && p; p = next) {
		int child;

		p += strspn(p, "/");
		if (!*p)
			break;
		next = strchr(p, '/');
		if (next)
			*next++ = '\0';
		child = open_dir_at(fd, p, true, next && next[strspn(next, "/")] ? 0755 : 0700);
		if (child < 0)
			return child;
		(void)close(fd);
		fd = child;
	}
	if (fd < 0)
		return -errno;
	*ret = MOVE_FD(fd);
	return 0;
}

/* To read is enough for flock(2) but over NFS, and all that a store on a read-only file system allows. */
static int open_lock(int root_fd, bool create)
{
	int fd = -EBADF;

	if (create)
		fd = openat(root_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (!create || (fd < 0 && errno == EROFS))
		fd = openat(root_fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int open_parts(struct store *s, bool create)
{
	AUTO_CLOSE int blobs = open_dir_at(s->root_fd, "blobs", create, 0700);

	if (blobs < 0)
		return blobs;
	s->blobs_fd = open_dir_at(blobs, "sha256", create, 0700);
	if (s->blobs_fd < 0)
		return s->blobs_fd;
	s->layers_fd = open_dir_at(s->root_fd, "layers", create, 0700);
	if (s->layers_fd < 0)
		return s->layers_fd;
	s->images_fd = open_dir_at(s->root_fd, "images", create, 0700);
	if (s->images_fd < 0)
		return s->images_fd;
	s->ingest_fd = open_dir_at(s->root_fd, "ingest", create, 0700);
	if (s->ingest_fd < 0)
		return s->ingest_fd;
	s->lock_fd = open_lock(s->root_fd, create);
	return s->lock_fd < 0 ? s->lock_fd : 0;
}

int store_open(const char *path, bool create, struct store *ret, struct err *err)
{
	AUTO(store) s = STORE_NONE;
	int r;

	s.path = strdup(path);
	if (!s.path)
		return err_oom(err);
	r = open_root(path, create, &s.root_fd);
	if (r == 0)
		r = open_parts(&s, create);
	if (r < 0) {
		errno = -r;
		return err_sys(err, r == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			       "open image store %s", QUOTE_PLAIN(path));
	}
	*ret = s;
	s.path = NULL;
	s.root_fd = s.blobs_fd = s.layers_fd = s.images_fd = s.ingest_fd = s.lock_fd = -EBADF;
	return 0;
}

void store_done(struct store *s)
{
	int *fds[] = { &s->root_fd,   &s->blobs_fd,  &s->layers_fd,
		       &s->images_fd, &s->ingest_fd, &s->lock_fd };

	/* 0 is what a zeroed struct has; the store never owns standard input */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] > 0)
			(void)close(*fds[i]);
		*fds[i] = -EBADF;
	}
	free(s->path);
	s->path = NULL;
}

int store_lock(struct store *s, enum store_lock how, struct err *err)
{
	if (flock(s->lock_fd, how == STORE_LOCK_SHARED ? LOCK_SH : LOCK_EX) == 0)
		return 0;
	/* only a handler that wants us to stop is installed without SA_RESTART */
	return err_sys(err, errno == EINTR ? ERR_INTERRUPTED : ERR_SYSTEM,
		       "wait for the lock of image store %s", QUOTE_PLAIN(s->path));
}

void store_unlock(struct store *s)
{
	(void)flock(s->lock_fd, LOCK_UN);
}

/* An entry whose flock is free has no owner any more. Return: 0, also if it is in use or gone */
static int sweep_entry(const struct store *s, const char *name)
{
	AUTO_CLOSE int fd = openat(s->ingest_fd, name, OPEN_DIR | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0;
	log_debug("remove what an interrupted run left in the image store: %s", QUOTE(name));
	return remove_tree_at(s->ingest_fd, name);
}

int store_sweep(struct store *s, struct err *err)
{
	AUTO_CLOSEDIR DIR *dir = NULL;
	int fd = openat(s->ingest_fd, ".", OPEN_DIR);
	struct dirent *e;

	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		int r = err_sys(err, ERR_SYSTEM, "read the store's ingest directory");

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		int r;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = sweep_entry(s, e->d_name);
		if (r < 0) {
			errno = -r;
			return err_sys(err, ERR_SYSTEM, "remove ingest/%s", QUOTE_PLAIN(e->d_name));
		}
	}
	return errno ? err_sys(err, ERR_SYSTEM, "read the store's ingest directory") : 0;
}

int store_blob_read(const struct store *s, const struct digest *digest, size_t max, char **ret_buf,
		    size_t *ret_len, struct err *err)
{
	AUTO_CLOSE int fd = openat(s->blobs_fd, digest->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FREE char *buf = NULL;
	struct digest actual;
	size_t len;
	int r;

	if (!digest_is_set(digest))
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "open blob: no digest");
	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "open blob %s",
			       digest->hex);
	r = fd_read_all(fd, max, &buf, &len);
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "read blob %s", digest->hex);
	}
	r = digest_buffer(buf, len, &actual, err);
	if (r < 0)
		return r;
	if (!digest_equal(digest, &actual))
		return err_set(err, ERR_CORRUPT, -EBADMSG,
			       "read blob %s: its content has another digest", digest->hex);
	*ret_buf = MOVE_PTR(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

bool store_blob_exists(const struct store *s, const struct digest *digest)
{
	return digest_is_set(digest) && faccessat(s->blobs_fd, digest->hex, F_OK, 0) == 0;
}

int store_blob_write(const struct store *s, const struct digest *digest, const void *buf,
		     size_t len, struct err *err)
{
	struct digest actual;
	int r = digest_buffer(buf, len, &actual, err);

	if (r < 0)
		return r;
	if (!digest_equal(digest, &actual))
		return err_set(err, ERR_CORRUPT, -EBADMSG, "write blob: digest is %s, not %s",
			       actual.hex, digest->hex);
	r = atomic_file_write(s->blobs_fd, digest->hex, 0600, buf, len, err);
	return r < 0 ? err_prefix(err, r, "write blob") : 0;
}
