// SPDX-License-Identifier: MIT
/* The HTTP client against a server with canned answers (canned_server.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/http.h"
#include "base/http_headers.h"
#include "tests/unit/canned_server.h"

/* A label of 64 characters does not fit into a DNS question, so none is sent. */
#define NO_SUCH_HOST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct http *client;

static int setup_group(void **state)
{
	struct err err;

	(void)state;
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used for loopback */
	canned_start();
	if (http_new("racker/test", &client, &err) < 0)
		fail_msg("%s", err.msg);
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	http_free(client);
	canned_stop();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(seen, 0, sizeof(*seen));
	return 0;
}

#define URL_LEN 256
static const char *url_of(char buf[static URL_LEN], int port, const char *path)
{
	(void)snprintf(buf, URL_LEN, "http://127.0.0.1:%u%s", canned_ports[port], path);
	return buf;
}
#define AT(path) url_of((char[URL_LEN]){ 0 }, 0, path)

/* One transfer, start to end. */
static int fetch(struct http *h, const struct http_request *req, struct http_response *ret_response,
		 struct err *err)
{
	struct http_transfer *t, *done = NULL;
	int r = http_start(h, req, &t, err);

	if (r < 0)
		return r;
	while (r == 0 && !done)
		r = http_poll(h, NULL, 0, -1, &done, err);
	if (r == 0)
		r = http_transfer_take(t, ret_response, err);
	http_transfer_free(t);
	return r;
}

static int get(const char *path, struct http_response *r, struct err *err)
{
	return fetch(client, &(struct http_request){ .url = AT(path), .max_bytes = 1000 }, r, err);
}

/* A GET of @path fails with @code and a message that has @text in it. */
static void assert_get_fails(const char *path, int code, const char *text)
{
	struct http_response r = { 0 };
	struct err err = { 0 };
	int got = get(path, &r, &err);

	if (got != code)
		fail_msg("%s: %d instead of %d: %s", path, got, code, err.msg);
	assert_int_equal(err.kind, ERR_NETWORK);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, text))
		fail_msg("%s: no \"%s\" in: %s", path, text, err.msg);
	assert_memory_equal(err.msg, "Get \"http://127.0.0.1:", 22);
	assert_null(strchr(err.msg, '\x1b'));
}

static void test_answer(void **state)
{
	struct http_response r = { 0 };

	(void)state;
	assert_int_equal(get("/ok", &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.content_type, "text/plain");
	assert_string_equal(r.docker_content_digest, "sha256:ab");
	assert_string_equal(r.warnings[0], "299 - \"old\"");
	assert_string_equal(r.body, "hello");
	assert_int_equal(r.body_len, 5);
	assert_int_equal(r.content_length, 5);
	assert_string_equal(r.final_url, AT("/ok"));
	assert_non_null(strstr(seen->text, "User-Agent: racker/test\r\n"));
	assert_null(strstr(seen->text, "Authorization:"));
	assert_null(strstr(seen->text, "Cookie:"));
	http_response_done(&r);
}

static void test_refusal_is_an_answer(void **state)
{
	struct http_response r = { 0 };

	(void)state;
	assert_int_equal(get("/401", &r, NULL), 0);
	assert_int_equal(r.status, 401);
	assert_string_equal(r.www_authenticate[0], "Basic realm=\"a\"");
	assert_string_equal(r.www_authenticate[1], "Bearer realm=\"b\"");
	assert_null(r.www_authenticate[2]);
	assert_string_equal(r.retry_after, "3");
	assert_string_equal(r.body, "why?");
	http_response_done(&r);
	assert_int_equal(get("/302-bare", &r, NULL), 0);
	assert_int_equal(r.status, 302);
	assert_string_equal(r.body, "");
	http_response_done(&r);
	/* nothing of an informational response stays */
	assert_int_equal(get("/early", &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_null(r.content_type);
	assert_string_equal(r.body, "ok");
	http_response_done(&r);
	/* the rest of an endless error is not waited for */
	assert_int_equal(get("/flood-error", &r, NULL), 0);
	assert_int_equal(r.status, 500);
	assert_int_equal(r.body_len, 65536);
	http_response_done(&r);
}

static void test_connection_is_kept(void **state)
{
	struct http_response r = { 0 };
	struct http *h = NULL;

	(void)state;
	assert_int_equal(http_new("racker/test", &h, NULL), 0);
	for (int i = 0; i < 5; i++) {
		struct http_request req = { .url = AT("/ok"), .max_bytes = 5 };

		assert_int_equal(fetch(h, &req, &r, NULL), 0);
		http_response_done(&r);
	}
	assert_int_equal(seen->connections, 1);
	http_free(h);
}

static void test_bad_bodies(void **state)
{
	struct http_response r = { 0 };

	(void)state;
	assert_get_fails("/short", -ECONNRESET, "unexpected EOF");
	assert_get_fails("/chunks-short", -ECONNRESET, "unexpected EOF");
	assert_get_fails("/nothing", -ECONNRESET, "unexpected EOF");
	assert_get_fails("/flood", -EFBIG, "more than the 1000 bytes expected");
	assert_get_fails("/told-big", -EFBIG, "more than the 1000 bytes expected");
	assert_get_fails("/flood-headers", -E2BIG, "more than 65536 bytes of response headers");
	assert_get_fails("/garbage", -EPROTO, "");
	assert_int_equal(get("/chunks", &r, NULL), 0);
	assert_string_equal(r.body, "hello");
	assert_int_equal(r.content_length, -1);
	http_response_done(&r);
}

static int fetch_as_user(const char *path, struct http_response *r, struct err *err)
{
	static const char *const headers[] = { "Accept: x/y", NULL };

	return fetch(client,
		     &(struct http_request){ .url = AT(path),
					     .headers = headers,
					     .authorization = "Basic c2VjcmV0",
					     .max_bytes = 1000 },
		     r, err);
}

static void test_redirect_keeps_credentials_home(void **state)
{
	struct http_response r = { 0 };

	(void)state;
	assert_int_equal(fetch_as_user("/relative", &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "hello");
	assert_string_equal(r.final_url, AT("/ok"));
	http_response_done(&r);
	assert_true(canned_request_has(1, "Authorization: Basic c2VjcmV0\r\n"));
	assert_true(canned_request_has(1, "Accept: x/y\r\n"));

	setup(NULL);
	assert_int_equal(fetch_as_user("/away", &r, NULL), 0);
	assert_string_equal(r.body, "hello");
	http_response_done(&r);
	assert_true(canned_request_has(0, "Authorization: "));
	assert_int_equal(canned_request_port(1), 1);
	assert_false(canned_request_has(1, "Authorization"));
	assert_true(canned_request_has(1, "Accept: x/y\r\n"));

	setup(NULL);
	assert_int_equal(fetch_as_user("/away-and-back", &r, NULL), 0);
	assert_string_equal(r.body, "hello");
	http_response_done(&r);
	assert_int_equal(canned_request_port(2), 0);
	assert_false(canned_request_has(2, "Authorization"));
}

static void test_redirects_refused(void **state)
{
	(void)state;
	assert_get_fails("/loop", -ELOOP, "stopped after 10 redirects");
	assert_get_fails("/user", -EINVAL, "redirect to unusable location");
	assert_get_fails("/to-file", -EINVAL,
			 "redirect to unusable location \"file:///etc/passwd\"");
	assert_get_fails("/to-ftp", -EINVAL, "redirect to unusable location");
	assert_get_fails("/to-evil", -EINVAL, "redirect to unusable location");
	assert_null(strstr(seen->text, "@1"));
}

static void test_requests_refused(void **state)
{
	static const char *const urls[] = {
		"",
		"file:///etc/passwd",
		"ftp://a/",
		"http://",
		"http://u@h/",
		"http://u:p@h/",
		"http://h:0/",
		"http://h:99999/",
		"http://h /",
		"http://h\n/",
		"http://[::1/",
		"http://h\\@x/",
		"http://\xc3\xa4/",
	};
	static const char *const split[] = { "X: y\r\nZ: z", NULL };
	struct http_transfer *t;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (http_start(client, &(struct http_request){ .url = urls[i] }, &t, NULL) !=
		    -EINVAL)
			fail_msg("%s was accepted", urls[i]);
	assert_int_equal(http_start(client,
				    &(struct http_request){ .url = AT("/ok"), .headers = split },
				    &t, NULL),
			 -EINVAL);
	assert_int_equal(http_start(client,
				    &(struct http_request){ .url = AT("/ok"),
							    .authorization = "Bearer x\r\nZ: z" },
				    &t, NULL),
			 -EINVAL);
}

static void test_connect_failures(void **state)
{
	struct http_response r = { 0 };
	struct err err = { 0 };
	char url[URL_LEN];
	unsigned port;
	int fd = canned_listen(&port);

	(void)state;
	(void)close(fd); /* nobody listens there now */
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/?secret=1", port);
	assert_int_equal(fetch(client, &(struct http_request){ .url = url }, &r, &err),
			 -ECONNREFUSED);
	assert_non_null(strstr(err.msg, "/v2/\": dial tcp 127.0.0.1:"));
	assert_non_null(strstr(err.msg, "connect: connection refused"));
	assert_null(strstr(err.msg, "secret"));
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", canned_ports[0]);
	assert_true(fetch(client, &(struct http_request){ .url = url }, &r, &err) < 0);
	assert_int_equal(err.kind, ERR_NETWORK);
	/* the proxy of the environment is not there: names that are not loopback go to it */
	assert_true(fetch(client, &(struct http_request){ .url = "http://" NO_SUCH_HOST "/" }, &r,
			  &err) < 0);
	assert_int_equal(err.kind, ERR_NETWORK);
	(void)setenv("http_proxy", "", 1);
	assert_true(fetch(client, &(struct http_request){ .url = "http://" NO_SUCH_HOST "/" }, &r,
			  &err) < 0);
	assert_non_null(strstr(err.msg, "lookup " NO_SUCH_HOST ": no such host"));
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
}

struct sunk {
	char text[64];
	size_t len;
	long started;
	int fail_at; /* fail once this many bytes came; -1: never */
};

static int on_started(void *arg, long status, struct err *err)
{
	struct sunk *s = arg;

	(void)err;
	assert_int_equal(s->started, 0);
	assert_int_equal(s->len, 0);
	s->started = status;
	return 0;
}

static int on_bytes(void *arg, const void *bytes, size_t len, struct err *err)
{
	struct sunk *s = arg;

	assert_true(s->len + len < sizeof(s->text));
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
	if (s->fail_at >= 0 && s->len >= (size_t)s->fail_at)
		return err_set(err, ERR_CORRUPT, -EBADMSG, "the sink is full");
	return 0;
}

static int sink_fetch(const char *path, uint64_t from, struct sunk *s, struct http_response *r,
		      struct err *err)
{
	return fetch(client,
		     &(struct http_request){ .url = AT(path),
					     .range_from = from,
					     .max_bytes = 50,
					     .sink = on_bytes,
					     .started = on_started,
					     .arg = s },
		     r, err);
}

static void test_sink(void **state)
{
	struct http_response r = { 0 };
	struct sunk s = { .fail_at = -1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sink_fetch("/ok", 0, &s, &r, NULL), 0);
	assert_string_equal(s.text, "hello");
	assert_int_equal(s.started, 200);
	assert_int_equal(r.body_len, 0);
	http_response_done(&r);

	s = (struct sunk){ .fail_at = -1 };
	assert_int_equal(sink_fetch("/206", 2, &s, &r, NULL), 0);
	assert_string_equal(s.text, "llo");
	assert_int_equal(s.started, 206);
	assert_non_null(strstr(seen->text, "Range: bytes=2-\r\n"));
	http_response_done(&r);

	/* other answers do not reach the sink */
	s = (struct sunk){ .fail_at = -1 };
	assert_int_equal(sink_fetch("/401", 0, &s, &r, NULL), 0);
	assert_int_equal(s.started, 0);
	assert_int_equal(s.len, 0);
	assert_string_equal(r.body, "why?");
	http_response_done(&r);

	s = (struct sunk){ .fail_at = 1 };
	assert_int_equal(sink_fetch("/ok", 0, &s, &r, &err), -EBADMSG);
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_string_equal(err.msg, "the sink is full");
}

static void test_methods(void **state)
{
	struct http_response r = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(fetch(client, &(struct http_request){ .url = AT("/ok"), .head = true }, &r,
			       NULL),
			 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.content_length, 5);
	assert_int_equal(r.body_len, 0);
	http_response_done(&r);
	assert_memory_equal(seen->text, "@0\nHEAD /ok ", 12);

	setup(NULL);
	assert_int_equal(fetch(client,
			       &(struct http_request){ .url = AT("/away"),
						       .post_body = "a=b&c=d",
						       .max_bytes = 10 },
			       &r, &err),
			 -ELOOP);
	assert_memory_equal(seen->text, "@0\nPOST /away ", 14);
	assert_non_null(strstr(seen->text, "application/x-www-form-urlencoded"));
	assert_memory_equal(err.msg, "Post \"", 6);
	assert_null(strstr(seen->text, "@1"));
}

static void test_several_at_once(void **state)
{
	struct http_transfer *t[8], *done;
	int finished = 0, order[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(http_start(client,
					    &(struct http_request){ .url = AT("/away"),
								    .arg = &order[i],
								    .max_bytes = 5 },
					    &t[i], NULL),
				 0);
	while (finished < 8) {
		const struct http_response *r;

		assert_int_equal(http_poll(client, NULL, 0, 5000, &done, NULL), 0);
		assert_non_null(done);
		assert_ptr_equal(t[*(int *)http_transfer_arg(done)], done);
		assert_int_equal(http_transfer_result(done, &r, NULL), 0);
		assert_string_equal(r->body, "hello");
		http_transfer_free(done);
		finished++;
	}
	assert_int_equal(http_poll(client, NULL, 0, 0, &done, NULL), 0);
	assert_null(done);
}

static void test_poll_waits_for_fds(void **state)
{
	struct http_transfer *t, *done = NULL;
	usec_t before = now_usec();
	struct pollfd p[3];
	int pipes[2];

	(void)state;
	assert_int_equal(http_start(client, &(struct http_request){ .url = AT("/hang") }, &t, NULL),
			 0);
	assert_int_equal(pipe(pipes), 0);
	p[0] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	p[2] = (struct pollfd){ .fd = -1 };
	assert_int_equal(http_poll(client, p, 3, 200, &done, NULL), 0);
	assert_null(done);
	assert_int_equal(p[1].revents, 0);
	assert_true(now_usec() - before >= 190 * USEC_PER_MSEC);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(http_poll(client, p, 3, 60000, &done, NULL), 0);
	assert_int_equal(p[1].revents, POLLIN);
	assert_int_equal(read(pipes[0], (char[1]){ 0 }, 1), 1);
	(void)close(pipes[1]);
	assert_int_equal(http_poll(client, p, 3, 60000, &done, NULL), 0);
	assert_int_equal(p[1].revents, POLLHUP);
	(void)close(pipes[0]);
	assert_true(now_usec() - before < 30 * USEC_PER_SEC);
	/* cancels what is still running */
	http_transfer_free(t);
	assert_int_equal(http_poll(client, NULL, 0, 0, &done, NULL), 0);
	assert_null(done);
}

static void test_free_ends_transfers(void **state)
{
	struct http_transfer *t, *done;
	struct http *h = NULL;

	(void)state;
	assert_int_equal(http_new("racker/test", &h, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			http_start(h, &(struct http_request){ .url = AT("/hang") }, &t, NULL), 0);
	assert_int_equal(http_poll(h, NULL, 0, 100, &done, NULL), 0);
	assert_null(done);
	http_free(h);
}

static void test_header_lines(void **state)
{
	struct http_response r = { 0 };
	struct http_headers h = { .response = &r };
	char line[HTTP_HEADERS_MAX];

	(void)state;
	assert_int_equal(http_headers_line(&h, "HTTP/2 2000", 11), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(http_headers_line(&h, "HTTP/2 20", 9), 0);
	assert_int_equal(r.status, 0);
	assert_int_equal(http_headers_line(&h, "Location", 8), 0);
	assert_int_equal(http_headers_line(&h, "Location:\t a b \r\n", 17), 0);
	assert_int_equal(http_headers_line(&h, "Location: second", 16), 0);
	assert_string_equal(h.location, "a b");
	assert_int_equal(http_headers_line(&h, "Warning: a\0b", 12), 0);
	assert_null(r.warnings);
	for (int i = 0; i < 2 * HTTP_HEADER_REPEATS_MAX; i++)
		assert_int_equal(http_headers_line(&h, "WARNING:", 8), 0);
	assert_int_equal(strv_len(r.warnings), HTTP_HEADER_REPEATS_MAX);
	memset(line, 'x', sizeof(line));
	assert_int_equal(http_headers_line(&h, line, sizeof(line)), -E2BIG);
	http_headers_reset(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answer, setup),
		cmocka_unit_test_setup(test_refusal_is_an_answer, setup),
		cmocka_unit_test_setup(test_connection_is_kept, setup),
		cmocka_unit_test_setup(test_bad_bodies, setup),
		cmocka_unit_test_setup(test_redirect_keeps_credentials_home, setup),
		cmocka_unit_test_setup(test_redirects_refused, setup),
		cmocka_unit_test_setup(test_requests_refused, setup),
		cmocka_unit_test_setup(test_connect_failures, setup),
		cmocka_unit_test_setup(test_sink, setup),
		cmocka_unit_test_setup(test_methods, setup),
		cmocka_unit_test_setup(test_several_at_once, setup),
		cmocka_unit_test_setup(test_poll_waits_for_fds, setup),
		cmocka_unit_test_setup(test_free_ends_transfers, setup),
		cmocka_unit_test(test_header_lines),
	};

	return cmocka_run_group_tests_name("http", tests, setup_group, teardown_group);
}
