/* SPDX-License-Identifier: MIT */
/* Cleanup attributes: who declares a resource also releases it, on every path out of the scope. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Keeps errno, so that a failing function can return it after its fds are closed. */
static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		(void)close(*fd);
		errno = saved;
	}
}

static inline void cleanup_fclose(FILE *const *f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void cleanup_closedir(DIR *const *d)
{
	if (*d)
		(void)closedir(*d);
}

/* Initialise on the line of declaration: pointers to NULL, fds to -EBADF. */
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))
#define AUTO_FCLOSE __attribute__((cleanup(cleanup_fclose)))
#define AUTO_CLOSEDIR __attribute__((cleanup(cleanup_closedir)))

/* AUTO(type): calls TYPE_done(struct TYPE *) at scope end; works on zeroed and half-built values. */
#define AUTO(type) __attribute__((cleanup(type##_done))) struct type

/* AUTO_PTR(type): calls TYPE_free(struct TYPE *) at scope end, NULL allowed; needs DEFINE_AUTO_PTR(type). */
#define DEFINE_AUTO_PTR(type)                            \
	static inline void type##_freep(struct type **p) \
	{                                                \
		type##_free(*p);                         \
	}
#define AUTO_PTR(type) __attribute__((cleanup(type##_freep))) struct type *

#define MOVE_PTR(p)                         \
	({                                  \
		__typeof__(p) moved_ = (p); \
		(p) = NULL;                 \
		moved_;                     \
	})
#define MOVE_FD(fd)                \
	({                         \
		int moved_ = (fd); \
		(fd) = -EBADF;     \
		moved_;            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
