/* SPDX-License-Identifier: MIT */
/* Libraries loaded on first use, so that a start of a container does not pay for the network stack (doc/design.md says how much). */
#ifndef BASE_DLIB_H
#define BASE_DLIB_H

#include <stddef.h>

#include "base/err.h"

struct dlib_symbol {
	const char *name;
	void **slot; /* where its address goes */
};

/* DLIB_SYMBOL(table, function): the table has one function pointer member for each function, of the same name. */
#define DLIB_SYMBOL(table, function)                  \
	{                                             \
#function, (void **)&(table).function \
	}

/**
 * dlib_load() - dlopen(3) a system library and resolve all symbols; the library stays loaded
 * @soname: such as "libcurl.so.4"; @what: for the message, such as "the HTTP client"
 * Return: 0, or -ENOPKG naming the library and how to install it
 */
int dlib_load(const char *soname, const char *what, const struct dlib_symbol *symbols, size_t n,
	      struct err *err);

#endif
