// SPDX-License-Identifier: MIT
/*
 * Pulls from tests/registry/fake_registry.py: every form of image, every kind of credentials, every way a registry can lie. A good
 * image must arrive whole; whatever else happens must be an error of the right kind, and leave the store empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "registry/layers.h"
#include "tests/unit/pull_fixture.h"

static void test_forms(void **state)
{
	static const char *const images[] = { "test/image:oci",	   "test/image:manifest",
					      "test/image:docker", "test/image:docker2",
					      "test/image:nested", "test/image:attested" };
	struct fixture *f = *state;

	start_registry(f, "");
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		assert_pulls(f, images[i]);
	assert_true(requests_with(f, "manifests/oci",
				  "application/vnd.oci.image.index.v1+json, "
				  "application/vnd.oci.image.manifest.v1+json, "
				  "application/vnd.docker.distribution.manifest."
				  "list.v2+json, application/vnd.docker."
				  "distribution.manifest.v2+json") == 1);
	/* one config and three layers for six names: those of docker's form are compressed differently, but have the same diffIDs */
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);
}

static void test_result_and_events(void **state)
{
	struct fixture *f = *state;
	struct pull_result first = { 0 }, again = { 0 };
	AUTO(image_record) record = { 0 };

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:oci", &first, NULL), 0);
	assert_false(first.up_to_date);
	assert_int_equal(f->events[LAYER_WAITING], 3);
	assert_int_equal(f->events[LAYER_DOWNLOADED], 3);
	assert_int_equal(f->events[LAYER_UNPACKED], 3);
	assert_int_equal(f->events[LAYER_EXISTS], 0);
	assert_int_equal(get_record(f, "test/image:oci", &record), 0);
	assert_true(digest_equal(&record.index, &first.digest));
	assert_false(digest_equal(&record.manifest, &first.digest));

	assert_int_equal(pull(f, "test/image:oci", &again, NULL), 0);
	assert_true(again.up_to_date);
	assert_true(digest_equal(&again.digest, &first.digest));
	assert_int_equal(f->found, 1);
	assert_int_equal(f->events[LAYER_WAITING], 0);
	assert_int_equal(requests_with(f, "manifests/oci", "GET"), 2);
	assert_int_equal(requests_with(f, "manifests/sha256:", "GET"), 1);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);

	/* another name for the same image: only the name is new */
	assert_int_equal(pull(f, "test/image:manifest", &again, NULL), 0);
	assert_false(again.up_to_date);
	assert_true(digest_equal(&again.digest, &record.manifest));
	assert_int_equal(f->events[LAYER_EXISTS], 3);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 4);
}

static void test_lost_layer_is_fetched_again(void **state)
{
	struct fixture *f = *state;
	struct pull_result result = { 0 };
	AUTO(image_record) record = { 0 };
	char path[256];

	start_registry(f, "");
	assert_pulls(f, "test/image:oci");
	assert_int_equal(get_record(f, "test/image:oci", &record), 0);
	(void)snprintf(path, sizeof(path), "%s/store/layers/%s", f->dir, record.layers[1].hex);
	assert_int_equal(nftw(path, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_false(result.up_to_date);
	assert_whole(f, "test/image:oci");
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 5);
}

static void test_equal_layers(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:twice", &result, NULL), 0);
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 2);
	assert_int_equal(get_record(f, "test/image:twice", &record), 0);
	assert_int_equal(record.n_layers, 2);
}

static void test_by_digest(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	struct err err = { 0 };
	char name[160];

	start_registry(f, "");
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	(void)snprintf(name, sizeof(name), "test/image@sha256:%s", result.digest.hex);
	assert_pulls(f, name);
	/* the digest wins over the tag */
	(void)snprintf(name, sizeof(name), "test/image:nosuch@sha256:%s", result.digest.hex);
	assert_pulls(f, name);
	start_registry(f, "--fault manifest-digest");
	(void)snprintf(name, sizeof(name), "test/image:x@sha256:%s", result.digest.hex);
	assert_true(pull(f, name, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_platform(void **state)
{
	static const struct failure other = { "", "test/image:other", ERR_NOT_FOUND,
					      "no matching manifest for linux/" };
	struct fixture *f = *state;
	struct pull_result result;

	assert_fails_as(f, &other, &(struct who){ 0 });
	assert_int_equal(pull_as(f, "test/image:other", &(struct who){ .platform = "linux/s390x" },
				 &result, NULL),
			 0);
	/* the record is of another platform than the one wanted now: not up to date */
	assert_int_equal(pull_as(f, "test/image:oci", &(struct who){ .platform = "linux/s390x" },
				 &result, NULL),
			 0);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_false(result.up_to_date);
	assert_int_equal(pull(f, "test/image:oci", &result, NULL), 0);
	assert_true(result.up_to_date);
	/* one manifest only: taken as it is */
	assert_int_equal(pull_as(f, "test/image:manifest",
				 &(struct who){ .platform = "linux/ppc64le" }, &result, NULL),
			 0);
}

static void test_refused_images(void **state)
{
	static const struct failure list[] = {
		{ "", "test/image:nope", ERR_NOT_FOUND,
		  "/test/image:nope not found: manifest unknown: manifest unknown" },
		{ "", "test/nope", ERR_NOT_FOUND, "not found: name unknown: repository name not" },
		{ "", "test/image:v1", ERR_UNSUPPORTED, "schema 1" },
		{ "", "test/image:foreign", ERR_UNSUPPORTED, "foreign" },
		{ "", "test/image:both", ERR_CORRUPT, "ambiguous" },
		{ "", "test/image:liar", ERR_CORRUPT, "ambiguous" },
		{ "", "test/image:deep", ERR_CORRUPT, "indexes are nested deeper than 4" },
	};

	assert_all_fail(*state, list, ARRAY_SIZE(list));
}

static void test_lying_registries(void **state)
{
	static const struct failure list[] = {
		{ "--fault digest", "test/image:oci", ERR_CORRUPT, ": its content has digest" },
		{ "--fault short", "test/image:oci", ERR_CORRUPT, " ends after " },
		{ "--fault long", "test/image:oci", ERR_NETWORK, "more than the" },
		{ "--fault truncate", "test/image:oci", ERR_NETWORK, "unexpected EOF" },
		{ "--fault chunked-truncate", "test/image:oci", ERR_NETWORK, "unexpected EOF" },
		{ "--fault header-digest", "test/image:oci", ERR_CORRUPT, "instead of sha256:" },
		{ "--fault manifest-digest", "test/image:oci", ERR_NETWORK, "more than the" },
		{ "--fault headers", "test/image:oci", ERR_NETWORK, "bytes of response headers" },
		{ "--fault body", "test/image:oci", ERR_NETWORK, "more than the 4194304 bytes" },
		{ "--status 500", "test/image:oci", ERR_NETWORK, "HTTP status: 500" },
		{ "--status 404", "test/image:oci", ERR_NOT_FOUND, "blob unknown" },
		{ "--status 429", "test/image:oci", ERR_NETWORK, "toomanyrequests: " },
		{ "--manifest-status 429", "test/image:oci", ERR_NETWORK, "toomanyrequests: " },
		{ "--manifest-status 503", "test/image:oci", ERR_NETWORK, "HTTP status: 503" },
		{ "--manifest-status 403", "test/image:oci", ERR_AUTH,
		  "/test/image, repository does not exist or may require 'racker login': denied" },
		{ "--manifest-status 401 --code DENIED", "test/image:oci", ERR_AUTH,
		  "pull access denied for 127.0.0.1:" },
	};

	assert_all_fail(*state, list, ARRAY_SIZE(list));
}

/* What may pass is tried again, for the rest where the server can; three layers, so three of each. */
static void test_passing_failures(void **state)
{
	struct fixture *f = *state;

	start_registry(f, "--fault reset-once");
	assert_pulls(f, "test/image:oci");
	assert_int_equal(f->events[LAYER_UNPACKED], 3);
	assert_int_equal(requests_with(f, "/blobs/", "\"status\": 206"), 3);
	assert_int_equal(requests_with(f, "/blobs/", "\"range\": \"bytes="), 3);
}

static void test_busy_registry(void **state)
{
	struct fixture *f = *state;
	usec_t before;

	start_registry(f, "--fault busy-once");
	before = now_usec();
	assert_pulls(f, "test/image:oci");
	assert_true(now_usec() - before >= USEC_PER_SEC); /* Retry-After */
	assert_int_equal(requests_with(f, "/blobs/", "\"status\": 503"), 3);
	assert_int_equal(requests_with(f, "/blobs/", "\"range\": \"bytes="), 0);
}

/* The worker has unpacked half of a layer when all of it comes again. */
static void test_layer_starts_over(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };
	struct err err = { 0 };

	start_registry(f, "--fault restart-once --big 4");
	if (pull(f, "test/image:big", &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(get_record(f, "test/image:big", &record), 0);
	assert_int_equal(store_layer_size(&f->store, &record.layers[0]), 4 << 20);
	assert_int_equal(requests_with(f, "/blobs/", "\"range\": \"bytes="), 1);
	assert_int_equal(requests_with(f, "/blobs/", "\"status\": 206"), 0);
	assert_no_children();
}

static void test_failures_that_stay(void **state)
{
	static const struct failure list[] = {
		{ "--fault reset", "test/image:big", ERR_NETWORK, "unexpected EOF" },
		{ "--fault busy", "test/image:big", ERR_NETWORK, "HTTP status: 503" },
	};
	static const struct failure once = { "--fault digest", "test/image:big", ERR_CORRUPT,
					     ": its content has digest" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		assert_fails_as(f, &list[i], &(struct who){ 0 });
		/* and the config */
		assert_int_equal(requests_with(f, "/blobs/", "GET"), 1 + LAYER_ATTEMPTS_MAX);
	}
	assert_fails_as(f, &once, &(struct who){ 0 });
	assert_int_equal(requests_with(f, "/blobs/", "GET"), 2);
}

/* Whoever finds the error names the layer, and nobody else does. */
static void test_layer_is_named_once(void **state)
{
	static const char *const faults[] = { "--fault digest", "--fault short", "--status 404" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct pull_result result;
		struct err err = { 0 };

		start_registry(f, faults[i]);
		assert_true(pull(f, "test/image:oci", &result, &err) < 0);
		if (strstr(err.msg, "layer ") && strstr(strstr(err.msg, "layer ") + 1, "layer "))
			fail_msg("%s: %s", faults[i], err.msg);
	}
}

static void test_more_layers_than_slots(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };
	struct err err = { 0 };

	/* every third request needs a new token, while others are on their way */
	start_registry(f, "--auth bearer --anonymous --expire 3");
	if (pull(f, "test/image:many", &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(f->events[LAYER_UNPACKED], 20);
	assert_int_equal(get_record(f, "test/image:many", &record), 0);
	assert_int_equal(record.n_layers, 20);
	assert_int_equal(requests_with(f, "/blobs/", "\"status\": 200"), 21);
	assert_no_children();
}

static void test_big_layer(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	AUTO(image_record) record = { 0 };
	struct err err = { 0 };

	start_registry(f, "--big 24");
	if (pull(f, "test/image:big", &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(get_record(f, "test/image:big", &record), 0);
	assert_int_equal(store_layer_size(&f->store, &record.layers[0]), 24 << 20);
}

static void interrupt_soon(struct fixture *f, const char *options, const char *image)
{
	struct pull_result result;
	struct err err = { 0 };
	usec_t before;

	start_registry(f, options);
	f->interrupted = 1;
	before = now_usec();
	assert_true(pull(f, image, &result, &err) < 0);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_string_equal(err.msg, "interrupted");
	assert_true(now_usec() - before < 2 * USEC_PER_SEC);
	assert_store_empty(f);
	assert_no_children();
	f->interrupted = 0;
}

/* Set by the event of a layer that begins: interrupts in the middle. */
static void on_layer_begins(void *arg, size_t layer, const struct digest *digest,
			    enum layer_event what)
{
	(void)layer;
	(void)digest;
	if (what == LAYER_WAITING)
		((struct fixture *)arg)->interrupted = 1;
}

static void test_interrupted(void **state)
{
	struct fixture *f = *state;
	struct image_ref ref = { 0 };
	struct platform platform;
	struct pull_result result;
	struct err err = { 0 };
	char text[128];
	usec_t before = now_usec();

	interrupt_soon(f, "--fault hang", "test/image:oci");
	start_registry(f, "--fault slow --big 8");
	platform_native(&platform);
	(void)snprintf(text, sizeof(text), "%s/test/image:big", f->registry);
	assert_int_equal(image_ref_parse(text, &ref, NULL), 0);
	assert_true(pull_image(&(struct pull_request){ .store = &f->store,
						       .ref = &ref,
						       .platform = &platform,
						       .event = on_layer_begins,
						       .arg = f,
						       .interrupted = &f->interrupted },
			       &result, &err) < 0);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_true(now_usec() - before < 15 * USEC_PER_SEC);
	assert_store_empty(f);
	assert_no_children();
	image_ref_done(&ref);
}

static void test_nobody_there(void **state)
{
	struct fixture *f = *state;
	struct pull_result result;
	struct err err = { 0 };

	(void)snprintf(f->registry, sizeof(f->registry), "127.0.0.1:1");
	assert_int_equal(pull(f, "a/b", &result, &err), -ECONNREFUSED);
	assert_int_equal(err.kind, ERR_NETWORK);
	assert_string_equal(err.msg, "Get \"http://127.0.0.1:1/v2/a/b/manifests/latest\": dial tcp "
				     "127.0.0.1:1: connect: connection refused");
	assert_int_equal(f->found, 0);
}

static const struct who user = { .username = "user", .password = "secret" };

/* A self-signed certificate, made by openssl(1); skipped where there is none. */
static void test_tls_on_loopback(void **state)
{
	struct fixture *f = *state;
	char cert[96], key[96], options[256];
	pid_t pid;
	int status;

	(void)snprintf(cert, sizeof(cert), "%s/cert", f->dir);
	(void)snprintf(key, sizeof(key), "%s/key", f->dir);
	pid = fork();
	if (pid == 0) {
		(void)fclose(stderr);
		(void)execlp("openssl", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
			     "-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", key, "-out", cert,
			     (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		print_message("openssl does not make a certificate\n");
		skip();
	}
	(void)snprintf(options, sizeof(options), "--auth bearer --redirect cdn401 --tls %s %s",
		       cert, key);
	start_registry(f, options);
	/* where a redirect leads, the certificate counts */
	assert_fails_as(f,
			&(struct failure){ options, "test/image:oci", ERR_NETWORK,
					   "tls: failed to verify certificate" },
			&user);
	(void)snprintf(options, sizeof(options), "--auth bearer --tls %s %s", cert, key);
	start_registry(f, options);
	assert_pulls_as(f, "test/image:oci", &user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forms, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_result_and_events, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lost_layer_is_fetched_again, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_equal_layers, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_by_digest, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_platform, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_refused_images, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lying_registries, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_passing_failures, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_busy_registry, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_layer_starts_over, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_failures_that_stay, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_layer_is_named_once, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_more_layers_than_slots, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_big_layer, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_nobody_there, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_tls_on_loopback, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests_name("pull", tests, NULL, NULL);
}
