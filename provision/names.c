// SPDX-License-Identifier: MIT
/* Random IDs and names of containers (see names.h). */
#include "provision/names.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/quote.h"

/* 64 words each, so that six random bits choose one without bias. */
static const char *const adjectives[] = {
	"able",	   "amber",   "ample",	"apt",	   "autumn",  "blithe",	 "bold",     "brave",
	"bright",  "brisk",   "calm",	"candid",  "careful", "cheery",	 "civil",    "clear",
	"clever",  "cosy",    "crisp",	"curious", "daring",  "deft",	 "diligent", "eager",
	"earnest", "easy",    "fair",	"fleet",   "fond",    "frank",	 "fresh",    "gentle",
	"glad",	   "golden",  "hardy",	"honest",  "humble",  "jolly",	 "keen",     "kind",
	"lively",  "loyal",   "lucid",	"mellow",  "merry",   "mindful", "modest",   "neat",
	"nimble",  "patient", "placid", "polite",  "prompt",  "quick",	 "quiet",    "ready",
	"serene",  "silver",  "sober",	"steady",  "sunny",   "tidy",	 "warm",     "witty",
};

static const char *const surnames[] = {
	"abel",	    "agnesi",	  "ampere",    "babbage",  "backus",  "banach",	  "bernoulli",
	"bohr",	    "boole",	  "brahe",     "cantor",   "carson",  "cauchy",	  "church",
	"clarke",   "copernicus", "curie",     "dalton",   "darwin",  "dijkstra", "dirac",
	"einstein", "euclid",	  "euler",     "faraday",  "fermat",  "feynman",  "fourier",
	"franklin", "galilei",	  "galois",    "gauss",	   "germain", "goedel",	  "hamilton",
	"hamming",  "herschel",	  "hertz",     "hilbert",  "hopper",  "huygens",  "hypatia",
	"kepler",   "klein",	  "knuth",     "lagrange", "lamarr",  "laplace",  "leibniz",
	"lovelace", "maxwell",	  "mendel",    "meitner",  "newton",  "noether",  "pascal",
	"planck",   "poincare",	  "ramanujan", "ritchie",  "shannon", "tesla",	  "turing",
	"volta",
};
_Static_assert(ARRAY_SIZE(adjectives) == 64 && ARRAY_SIZE(surnames) == 64, "six bits each");

int container_names_random(struct container_names *ret, struct err *err)
{
	unsigned char bytes[CONTAINER_ID_LEN / 2 + 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(err, ERR_SYSTEM, "get random bytes for a container ID");
	for (size_t i = 0; i < CONTAINER_ID_LEN / 2; i++) {
		static const char digits[] = "0123456789abcdef";

		ret->id[2 * i] = digits[bytes[i] >> 4];
		ret->id[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret->id[CONTAINER_ID_LEN] = '\0';
	(void)snprintf(ret->name, sizeof(ret->name), "%s_%s",
		       adjectives[bytes[CONTAINER_ID_LEN / 2] & 63],
		       surnames[bytes[CONTAINER_ID_LEN / 2 + 1] & 63]);
	return 0;
}

/* ASCII alone, whatever the locale. */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void container_name_automatic(const char *image, unsigned int n,
			      char ret[static CONTAINER_NAME_MAX])
{
	const char *digest = strchr(image, '@');
	const char *slash = memrchr(image, '/', digest ? (size_t)(digest - image) : strlen(image));
	const char *last = slash ? slash + 1 : image;
	char suffix[16] = "";
	size_t len = strcspn(last, "@");

	if (n > 1)
		(void)snprintf(suffix, sizeof(suffix), "-%u", n);
	if (len > CONTAINER_NAME_MAX - 1 - strlen("postroj-") - strlen(suffix))
		len = CONTAINER_NAME_MAX - 1 - strlen("postroj-") - strlen(suffix);
	(void)snprintf(ret, CONTAINER_NAME_MAX, "postroj-%.*s%s", (int)len, last, suffix);
	for (char *p = ret; *p; p++)
		if (!is_alnum(*p) && *p != '.' && *p != '-')
			*p = '-';
}

int container_name_check(const char *name, struct err *err)
{
	size_t len = strlen(name);
	/* The name becomes a file name in the state directory. */
	bool good = len >= 2 && len <= 200 && is_alnum(name[0]);

	for (size_t i = 1; good && i < len; i++)
		good = is_alnum(name[i]) || strchr("_.-", name[i]);
	if (!good)
		return err_set(
			err, ERR_USAGE, -EINVAL,
			"Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			QUOTE_PLAIN(name));
	return 0;
}
