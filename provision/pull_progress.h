/* SPDX-License-Identifier: MIT */
/* Docker's plain progress lines of a pull, one a change of state (features 4.2). */
#ifndef PROVISION_PULL_PROGRESS_H
#define PROVISION_PULL_PROGRESS_H

#include <stdio.h>

#include "oci/install.h"

struct pull_progress {
	FILE *out; /* NULL: say nothing */
	const char *id; /* tag, digest or label before the first line; borrowed */
	const char *from; /* repository; borrowed */
};

/** pull_progress_found() - "latest: Pulling from library/debian"; @arg is a struct pull_progress */
void pull_progress_found(void *arg);
/** pull_progress_event() - "<12hex>: Pulling fs layer" and kin; @arg is a struct pull_progress */
void pull_progress_event(void *arg, size_t layer, const struct digest *layer_digest,
			 enum layer_event what);
/** pull_progress_end() - the Digest and Status lines. @name: as the Status line calls the image */
void pull_progress_end(const struct pull_progress *p, const struct digest *digest, bool up_to_date,
		       const char *name);

#endif
