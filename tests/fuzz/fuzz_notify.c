// SPDX-License-Identifier: MIT
/* Readiness messages of an untrusted PID 1: any bytes are understood or passed over, and twice the same is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notify n = { 0 }, whole = { 0 };
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	notify_parse(&n, text, size);
	/* Said twice, it means the same. */
	notify_parse(&whole, text, size);
	notify_parse(&whole, text, size);
	if (memcmp(&n, &whole, sizeof(n)) != 0)
		abort();
	free(text);
	return 0;
}
