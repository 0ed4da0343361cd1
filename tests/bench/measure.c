// SPDX-License-Identifier: MIT
/*
 * Runs commands side by side and says what they took: measure ROUNDS NAME[@MOUNTNS] COMMAND... [:: NAME COMMAND...]...
 *
 * Round by round, one after another, so that a busy moment of the machine meets all of them. Wall time from before the fork to after
 * wait4; CPU time and peak memory (the largest process of the waited-for tree) from its rusage. The first round warms up and is not
 * counted. The ratio is that of the medians, to the first contender. MOUNTNS is the path of a mount namespace to run it in.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS_MAX 64

struct contender {
	char *name, **argv, *mount_ns;
	double *ms, cpu_ms;
	long rss_kb;
	int failures;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double timeval_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void child_exec(const struct contender *c)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (c->mount_ns) {
		int fd = open(c->mount_ns, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, CLONE_NEWNS) < 0) {
			perror(c->mount_ns);
			_exit(125);
		}
	}
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	execvp(c->argv[0], c->argv);
	perror(c->argv[0]);
	_exit(127);
}

static void run_once(struct contender *c, int round)
{
	struct rusage usage;
	int status = 0;
	double begin = now_ms();
	pid_t pid = fork();

	if (pid == 0)
		child_exec(c);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("measure");
		exit(1);
	}
	double took = now_ms() - begin;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		c->failures++;
	if (round == 0)
		return;
	c->ms[round - 1] = took;
	c->cpu_ms += timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
	if (usage.ru_maxrss > c->rss_kb)
		c->rss_kb = usage.ru_maxrss;
}

static int parse(char **argv, struct contender *list, int rounds)
{
	int n = 0;

	while (*argv && n < CONTENDERS_MAX) {
		struct contender *c = &list[n++];

		c->name = *argv++;
		c->mount_ns = strchr(c->name, '@');
		if (c->mount_ns)
			*c->mount_ns++ = '\0';
		c->argv = argv;
		c->ms = calloc((size_t)rounds, sizeof(double));
		if (!c->ms)
			exit(1);
		while (*argv && strcmp(*argv, "::") != 0)
			argv++;
		if (*argv)
			*argv++ = NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct contender list[CONTENDERS_MAX];
	int rounds = argc > 3 ? atoi(argv[1]) : 0;

	if (rounds < 1) {
		fprintf(stderr, "usage: measure ROUNDS NAME COMMAND... [:: NAME COMMAND...]...\n");
		return 2;
	}
	int n = parse(argv + 2, list, rounds);
	for (int round = 0; round <= rounds; round++)
		for (int i = 0; i < n; i++)
			run_once(&list[i], round);

	printf("| what | median ms | min | p90 | ratio | CPU ms | peak RSS kB |\n");
	printf("|---|---|---|---|---|---|---|\n");
	double base = 0;
	for (int i = 0; i < n; i++) {
		struct contender *c = &list[i];

		qsort(c->ms, (size_t)rounds, sizeof(double), by_value);
		double median = c->ms[rounds / 2];
		if (i == 0)
			base = median;
		printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %ld |", c->name, median, c->ms[0],
		       c->ms[rounds * 9 / 10], median / base, c->cpu_ms / rounds, c->rss_kb);
		if (c->failures)
			printf(" %d of %d FAILED", c->failures, rounds + 1);
		putchar('\n');
	}
	return 0;
}
