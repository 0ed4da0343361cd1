// SPDX-License-Identifier: MIT
/* Loading of libraries on first use (see dlib.h). */
#include "base/dlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* The Debian package that brings a library, by the beginning of the library's name. */
static const char *package_of(const char *soname)
{
	static const struct {
		const char *soname, *package;
	} packages[] = {
		{ "libcurl.so.4", "libcurl4" },
		{ "libcrypto.so.3", "libssl3" },
		{ "libcrypto.so.1.1", "libssl1.1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		if (!strcmp(packages[i].soname, soname))
			return packages[i].package;
	return NULL;
}

static int cannot_load(const char *soname, const char *what, struct err *err)
{
	const char *why = dlerror(), *package = package_of(soname);

	/* It may be there and yet not load: built for another machine, or itself lacking something. */
	if (!why || strncmp(why, soname, strlen(soname)) != 0 ||
	    !strstr(why, "No such file or directory"))
		return err_set(err, ERR_SYSTEM, -ENOPKG, "%s needs %s, which does not load: %s",
			       what, soname, why ? why : "unknown reason");
	if (!package)
		return err_set(err, ERR_SYSTEM, -ENOPKG, "%s needs %s, which is not installed",
			       what, soname);
	return err_set(err, ERR_SYSTEM, -ENOPKG,
		       "%s needs %s, which is not installed (Debian, Ubuntu: apt-get install %s)",
		       what, soname, package);
}

/* A NULL @address leaves the slot empty: callers tell by their first slot whether the library is loaded. */
static void fill_slot(const struct dlib_symbol *symbol, void *address)
{
	/* The slot is a function pointer, hence no assignment through void **. */
	memcpy(symbol->slot, &address, sizeof(address));
}

int dlib_load(const char *soname, const char *what, const struct dlib_symbol *symbols, size_t n,
	      struct err *err)
{
	void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return cannot_load(soname, what, err);
	for (size_t i = 0; i < n; i++) {
		void *address = dlsym(lib, symbols[i].name);

		fill_slot(&symbols[i], address);
		if (address)
			continue;
		for (size_t filled = 0; filled < i; filled++)
			fill_slot(&symbols[filled], NULL);
		return err_set(err, ERR_SYSTEM, -ENOPKG, "%s needs %s from %s, which lacks it",
			       what, symbols[i].name, soname);
	}
	return 0;
}
