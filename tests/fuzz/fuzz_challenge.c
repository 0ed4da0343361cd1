// SPDX-License-Identifier: MIT
/* Fuzzer of the WWW-Authenticate parser: any bytes a registry may send. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct challenges c = { 0 };

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)challenge_parse(text, &c);
	/* a second line, as when an answer has several headers */
	(void)challenge_parse(text, &c);
	for (size_t i = 0; i < c.n; i++)
		if (c.list[i].realm && strlen(c.list[i].realm) > size)
			abort();
	challenges_done(&c);
	free(text);
	return 0;
}
