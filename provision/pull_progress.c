// SPDX-License-Identifier: MIT
/* Progress lines (see pull_progress.h). A write that fails is ignored: progress is not the result. */
#include "provision/pull_progress.h"

#include "base/quote.h"

void pull_progress_found(void *arg)
{
	const struct pull_progress *p = arg;

	if (!p->out)
		return;
	(void)fprintf(p->out, "%s: Pulling from %s\n", QUOTE_PLAIN(p->id), QUOTE_PLAIN(p->from));
	(void)fflush(p->out);
}

void pull_progress_event(void *arg, size_t layer, const struct digest *layer_digest,
			 enum layer_event what)
{
	static const char *const texts[] = {
		[LAYER_EXISTS] = "Already exists",	  [LAYER_WAITING] = "Pulling fs layer",
		[LAYER_VERIFYING] = "Verifying Checksum", [LAYER_DOWNLOADED] = "Download complete",
		[LAYER_UNPACKED] = "Pull complete",
	};
	const struct pull_progress *p = arg;

	(void)layer;
	if (!p->out)
		return;
	(void)fprintf(p->out, "%.12s: %s\n", layer_digest->hex, texts[what]);
	(void)fflush(p->out);
}

void pull_progress_end(const struct pull_progress *p, const struct digest *digest, bool up_to_date,
		       const char *name)
{
	if (!p->out)
		return;
	(void)fprintf(p->out, "Digest: %s\nStatus: %s for %s\n", DIGEST_STR(digest),
		      up_to_date ? "Image is up to date" : "Downloaded newer image",
		      QUOTE_PLAIN(name));
	(void)fflush(p->out);
}
