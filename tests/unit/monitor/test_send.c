/* SPDX-License-Identifier: BSD-2-Clause */
/* guest-tools/receive extracts exactly what was sent, or refuses the file. */
#include "hv/monitor/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/support.h"

#define SIZE_MAX_HERE (1 << 20)

static char folder[] = "/tmp/stencil-send.XXXXXX";
static uint8_t data[SIZE_MAX_HERE], back[SIZE_MAX_HERE + 1];
static char text[8 * SIZE_MAX_HERE];
static size_t n_lines;

static void add_line(const char *line, size_t len)
{
	assert_in_range(len, 1, SEND_LINE_MAX - 1);
	assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
	strncat(text, line, len);
	n_lines++;
}

/* Send 'size' bytes of data, in pieces of 'piece' bytes. */
static void send(const char *name, size_t size, size_t piece)
{
	static char *const end = text;
	static struct send_work work;
	char line[SEND_LINE_MAX];
	struct send send;
	size_t len;

	*end = '\0';
	n_lines = 0;
	add_line(line, send_begin(&send, &work, name, size, line));
	for (size_t at = 0; at < size;) {
		size_t want = size - at < piece ? size - at : piece;

		at += send_data(&send, data + at, want, line, &len);
		if (len > 0)
			add_line(line, len);
	}
	while ((len = send_end(&send, line)) > 0)
		add_line(line, len);
}

static size_t count_zeros(size_t at, size_t size)
{
	size_t n = 0;

	while (at + n < size && data[at + n] == 0)
		n++;
	return n;
}

/* Send 'size' bytes of data, and zeros without their bytes. */
static void send_sparse(const char *name, size_t size)
{
	static struct send_work work;
	char line[SEND_LINE_MAX];
	struct send send;
	size_t len;

	*text = '\0';
	add_line(line, send_begin(&send, &work, name, size, line));
	for (size_t at = 0; at < size;) {
		size_t n = count_zeros(at, size);

		at += n ? send_zeros(&send, n, line, &len)
			: send_data(&send, data + at, 1, line, &len);
		if (len > 0)
			add_line(line, len);
	}
	while ((len = send_end(&send, line)) > 0)
		add_line(line, len);
}

/* The exit status of guest-tools/receive for 'text'. */
static int receive(void)
{
	const char *slash = strstr(__FILE__, "tests/unit/");
	char command[512], log[64];
	int status;

	snprintf(log, sizeof(log), "%s/log", folder);
	FILE *file = fopen(log, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "%.*sguest-tools/receive %s %s >/dev/null 2>%s/said",
		 (int)(slash - __FILE__), __FILE__, log, folder, folder);
	status = system(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void arrives(const char *name, size_t size)
{
	char path[300];

	assert_int_equal(receive(), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(back, 1, sizeof(back), file), size);
	assert_memory_equal(back, data, size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(unlink(path), 0);
}

static void is_refused(const char *why)
{
	char path[64], said[512] = "";

	assert_int_equal(receive(), 1);
	snprintf(path, sizeof(path), "%s/said", folder);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(said, 1, sizeof(said) - 1, file) > 0);
	assert_int_equal(fclose(file), 0);
	if (strstr(said, why) == NULL)
		fail_msg("%s", said);
	snprintf(path, sizeof(path), "%s/f", folder);
	assert_int_equal(access(path, F_OK), -1);
}

/* Mostly zeros, with runs of all lengths and random bytes between them. */
static void make_data(unsigned seed)
{
	size_t at = 0;

	memset(data, 0, sizeof(data));
	srand(seed);
	while (at < sizeof(data) - 20000) {
		size_t n = (size_t)rand() % (rand() % 8 ? 12 : 600);
		bool is_run = rand() % 2;

		for (size_t i = 0; i < n; i++)
			data[at + i] = is_run ? (uint8_t)n : (uint8_t)rand();
		at += n + (rand() % 16 ? 0 : (size_t)rand() % 9000);
	}
}

static void files_of_all_sizes_arrive(void **state)
{
	static const size_t sizes[] = {0,
				       1,
				       2,
				       3,
				       4,
				       5,
				       127,
				       128,
				       129,
				       191,
				       192,
				       193,
				       4096,
				       SEND_BLOCK_MAX - 1,
				       SEND_BLOCK_MAX,
				       SEND_BLOCK_MAX + 1,
				       70000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		make_data((unsigned)i);
		send("f", sizes[i], 4096);
		arrives("f", sizes[i]);
		for (size_t n = 0; n < sizes[i]; n++)
			data[n] = (uint8_t)rand();
		send("f", sizes[i], 4096);
		arrives("f", sizes[i]);
	}
}

/* The first line is full when the last byte, or the last run, waits. */
static void the_last_bytes_may_need_a_line_of_their_own(void **state)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	send("f", 190, 4096);
	assert_int_equal(n_lines, 4);
	arrives("f", 190);
	memset(data + 185, 0, 300);
	send("f", 485, 4096);
	assert_int_equal(n_lines, 4);
	arrives("f", 485);
}

static void pieces_do_not_matter(void **state)
{
	static const size_t pieces[] = {1, 7, 192, 4096, SIZE_MAX_HERE};
	static char first[sizeof(text)];

	make_data(1);
	send("f", sizeof(data), 4096);
	arrives("f", sizeof(data));
	strcpy(first, text);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		send("f", sizeof(data), pieces[i]);
		assert_string_equal(text, first);
	}
}

static void zeros_cost_nothing(void **state)
{
	memset(data, 0, sizeof(data));
	send("f", sizeof(data), 4096);
	assert_int_equal(n_lines, 3);
	arrives("f", sizeof(data));
	data[5000] = 1;
	send("f", sizeof(data), 4096);
	assert_int_equal(n_lines, 3);
	arrives("f", sizeof(data));
}

static void zeros_without_bytes_are_sent_as_bytes_are(void **state)
{
	static char first[sizeof(text)];

	for (unsigned seed = 0; seed < 2; seed++) {
		make_data(seed);
		data[0] = (uint8_t)(seed & 1);
		send("f", sizeof(data), 4096);
		strcpy(first, text);
		send_sparse("f", sizeof(data));
		assert_string_equal(text, first);
	}
}

static void lines_of_others_may_come_between(void **state)
{
	static char mixed[sizeof(text)];

	make_data(2);
	send("/d/e", 30000, 4096);
	*mixed = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		sprintf(mixed + strlen(mixed), "guest: stencil~D\r\r\n%s\r\n\nstencil: said\n",
			line);
	strcpy(text, mixed);
	arrives("d/e", 30000);
}

static void a_log_without_a_file_says_so(void **state)
{
	strcpy(text, "stencil: end: ok\n");
	assert_int_equal(receive(), 3);
}

/* Remove the n-th line. */
static void drop_line(size_t n)
{
	char *line = text, *next;

	while (n-- > 0)
		line = strchr(line, '\n') + 1;
	next = strchr(line, '\n') + 1;
	memmove(line, next, strlen(next) + 1);
}

static void what_is_damaged_is_refused(void **state)
{
	static const struct {
		const char *find, *put, *why;
	} cases[] = {
		{"stencil~B 2 ", "stencil~B 1 ", "version 1"},
		{"stencil~B 2 30000", "stencil~B 2 30001", "30000 bytes instead of 30001"},
		{"stencil~B 2 30000 f", "stencil~B 2 30000 .", "its name is not a file name"},
		{"stencil~D 00000003", "stencil~D 00000004", "line 3 is missing"},
		{"stencil~D 00000003 ", "stencil~D 00000003 1", "line 3 has a wrong checksum"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_data(3);
		send("f", 30000, 4096);
		char *place = strstr(text, cases[i].find);

		assert_non_null(place);
		memcpy(place, cases[i].put, strlen(cases[i].put));
		is_refused(cases[i].why);
	}
	for (size_t n = 1; n < 3; n++) {
		send("f", 30000, 4096);
		drop_line(n);
		is_refused("is missing");
	}
	send("f", 30000, 4096);
	drop_line(n_lines - 2);
	is_refused("last lines are missing");
	send("f", 30000, 4096);
	drop_line(n_lines - 1);
	is_refused("the log ends");
}

static void a_changed_byte_is_noticed(void **state)
{
	make_data(4);
	send("f", 3000, 4096);
	for (unsigned i = 0; i < 8; i++) {
		char *place = strstr(text, "stencil~D 00000000 ") + 28 + 5 * i;
		char was = *place;

		*place = was == 'A' ? 'B' : 'A';
		is_refused("wrong checksum");
		*place = was;
	}
}

static int make_folder(void **state)
{
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_sizes_arrive),
		cmocka_unit_test(the_last_bytes_may_need_a_line_of_their_own),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(zeros_cost_nothing),
		cmocka_unit_test(zeros_without_bytes_are_sent_as_bytes_are),
		cmocka_unit_test(lines_of_others_may_come_between),
		cmocka_unit_test(a_log_without_a_file_says_so),
		cmocka_unit_test(what_is_damaged_is_refused),
		cmocka_unit_test(a_changed_byte_is_noticed),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
