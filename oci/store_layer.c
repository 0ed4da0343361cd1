// SPDX-License-Identifier: MIT
/* Layers in the store, and on their way there (see store.h, store_layer.h). */
#include "oci/store_layer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "oci/remove_tree.h"

#define LAYER_PATH_MAX (DIGEST_HEX_LEN + sizeof("/needs"))
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *layer_path(const struct digest *key, const char *file,
			      char buf[static LAYER_PATH_MAX])
{
	(void)snprintf(buf, LAYER_PATH_MAX, "%s/%s", key->hex, file);
	return buf;
}

static bool layer_has(const struct store *s, const struct digest *key, const char *file)
{
	char path[LAYER_PATH_MAX];

	return digest_is_set(key) &&
	       faccessat(s->layers_fd, layer_path(key, file, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool store_layer_exists(const struct store *s, const struct digest *key)
{
	return layer_has(s, key, "fs");
}

bool store_layer_has_needs(const struct store *s, const struct digest *key)
{
	return layer_has(s, key, "needs");
}

int store_layer_open(const struct store *s, const struct digest *key, struct err *err)
{
	char path[LAYER_PATH_MAX];
	int fd;

	if (!digest_is_set(key))
		return err_set(err, ERR_NOT_FOUND, -ENOENT, "open layer: no digest");
	fd = openat(s->layers_fd, layer_path(key, "fs", path),
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "open layer %s",
			       key->hex);
	return fd;
}

int64_t store_layer_size(const struct store *s, const struct digest *key)
{
	char path[LAYER_PATH_MAX], *end;
	AUTO_FREE char *text = NULL;
	long long size;

	if (!digest_is_set(key) ||
	    fd_read_file_at(s->layers_fd, layer_path(key, "size", path), 64, &text, NULL, NULL) < 0)
		return 0;
	errno = 0;
	size = strtoll(text, &end, 10);
	return errno || size < 0 || (*end && *end != '\n') ? 0 : size;
}

/*
 * A sweeper may find the new directory before it is locked and remove it; then another is made.
 * Return: 0, -EAGAIN, other -errno
 */
static int ingest_make(struct ingest *in)
{
	int dir_fd = in->store->ingest_fd;
	unsigned char random[16];
	struct stat st;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(in->name + 2 * i, 3, "%02x", random[i]);
	if (mkdirat(dir_fd, in->name, 0700) < 0)
		return errno == EEXIST ? -EAGAIN : -errno;
	in->lock_fd = openat(dir_fd, in->name, OPEN_DIR);
	if (in->lock_fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(in->lock_fd, LOCK_EX | LOCK_NB) < 0 || fstat(in->lock_fd, &st) < 0 ||
	    st.st_nlink == 0) {
		(void)close(in->lock_fd);
		in->lock_fd = -EBADF;
		(void)unlinkat(dir_fd, in->name, AT_REMOVEDIR);
		return -EAGAIN;
	}
	if (mkdirat(in->lock_fd, "fs", 0755) < 0)
		return -errno;
	in->fs_fd = openat(in->lock_fd, "fs", OPEN_DIR);
	/* whatever the umask is: without an entry for "./" this is the root directory of a container */
	return in->fs_fd < 0 || fchmod(in->fs_fd, 0755) < 0 ? -errno : 0;
}

int ingest_begin(const struct store *s, struct ingest *ret, struct err *err)
{
	AUTO(ingest) in = { .store = s, .lock_fd = -EBADF, .fs_fd = -EBADF };
	int r;

	for (int attempt = 0;; attempt++) {
		r = ingest_make(&in);
		if (r != -EAGAIN || attempt >= 100)
			break;
	}
	if (r < 0) {
		errno = -r;
		return err_sys(err, ERR_SYSTEM, "make a directory in the store's ingest");
	}
	*ret = in;
	in = (struct ingest){ .lock_fd = -EBADF, .fs_fd = -EBADF };
	return 0;
}

int ingest_open_blob(const struct ingest *in, struct err *err)
{
	int fd = openat(in->lock_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EOPNOTSUPP) {
		fd = openat(in->lock_fd, "blob", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			(void)unlinkat(in->lock_fd, "blob", 0);
	}
	return fd < 0 ? err_sys(err, ERR_SYSTEM, "make a file in the store's ingest") : fd;
}

int ingest_describe(const struct ingest *in, uint64_t bytes, bool has_needs, struct err *err)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", bytes);
	int r = fd_write_file_at(in->lock_fd, "size", 0600, text, (size_t)n, err);

	if (r < 0 || !has_needs)
		return r;
	return fd_write_file_at(in->lock_fd, "needs", 0600, "", 0, err);
}

int ingest_publish(struct ingest *in, const struct digest *key, struct err *err)
{
	if (renameat(in->store->ingest_fd, in->name, in->store->layers_fd, key->hex) == 0) {
		in->name[0] = '\0';
		return 0;
	}
	if (errno == EEXIST || errno == ENOTEMPTY) {
		log_debug("layer %s came from another process meanwhile", key->hex);
		return 0;
	}
	return err_sys(err, ERR_SYSTEM, "name layer %s", key->hex);
}

void ingest_done(struct ingest *in)
{
	if (!in->store)
		return;
	if (in->fs_fd >= 0)
		(void)close(in->fs_fd);
	if (in->name[0])
		(void)remove_tree_at(in->store->ingest_fd, in->name);
	if (in->lock_fd >= 0)
		(void)close(in->lock_fd);
	*in = (struct ingest){ .lock_fd = -EBADF, .fs_fd = -EBADF };
}
