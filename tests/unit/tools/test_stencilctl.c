/* SPDX-License-Identifier: BSD-2-Clause */
/* stencilctl's job and put, on a machine whose ports this test plays. Each call is a process of its
 * own. */
#define main stencilctl_main
#include "guest-tools/stencilctl.c"
#undef main
#include "tests/unit/support.h"
#include <sys/mman.h>
#include <sys/syscall.h>

enum { KEY_NAME = 0x20, KEY_SEED, KEY_JOB, KEY_INDEX, KEY_MAC, N_FILES = 5, STREAM_MAX = 1 << 20 };

struct stream {
	size_t len;
	char data[STREAM_MAX];
};

/* Shared with the process of the call. */
static struct machine {
	char job[JOB_MAX];
	bool is_refused, has_ended, is_template;
	uint32_t status;
	uint16_t key;
	size_t position;
	unsigned n_dropped, n_whole, n_reads_before, n_reads_after;
	const char *index; /* of the clone */
	/* Of the interface. */
	char interface[IFNAMSIZ], mac[6];
	bool is_up, lacks_address;
	uint32_t address, mask;
	struct stream out, error, file;
} * machine;

static const struct fw_cfg_file directory[N_FILES] = {
	{2, KEY_NAME, OWN_PREFIX "name"},     {32, KEY_SEED, OWN_PREFIX "seed"},
	{JOB_MAX, KEY_JOB, OWN_PREFIX "job"}, {11, KEY_INDEX, OWN_PREFIX "index"},
	{18, KEY_MAC, OWN_PREFIX "mac"},
};

static void put_big(unsigned char *to, uint32_t value, unsigned size)
{
	while (size-- > 0)
		*to++ = (unsigned char)(value >> 8 * size);
}

static uint8_t directory_byte(size_t position)
{
	unsigned char bytes[4 + N_FILES * 64] = {0};

	put_big(bytes, N_FILES, 4);
	for (size_t i = 0; i < N_FILES; i++) {
		put_big(bytes + 4 + i * 64, directory[i].size, 4);
		put_big(bytes + 8 + i * 64, directory[i].number, 2);
		memcpy(bytes + 12 + i * 64, directory[i].name, sizeof(directory[i].name));
	}
	assert_true(position < sizeof(bytes));
	return bytes[position];
}

/* The kernel's network; other devices are its own. */
int ioctl(int file, unsigned long request, ...)
{
	struct sockaddr_in in;
	struct ifreq *to;
	va_list arguments;

	va_start(arguments, request);
	to = va_arg(arguments, struct ifreq *);
	va_end(arguments);
	if (request == SIOCSIFADDR || request == SIOCSIFNETMASK) {
		memcpy(&in, &to->ifr_addr, sizeof(in));
		*(request == SIOCSIFADDR ? &machine->address : &machine->mask) =
			ntohl(in.sin_addr.s_addr);
		if (machine->lacks_address)
			errno = ENODEV;
		return machine->lacks_address ? -1 : 0;
	}
	if (request != SIOCSIFFLAGS && request != SIOCSIFHWADDR)
		return (int)syscall(SYS_ioctl, file, request, to);
	if (request == SIOCSIFFLAGS) {
		machine->is_up = to->ifr_flags & IFF_UP;
		strcpy(machine->interface, to->ifr_name);
	}
	if (request == SIOCSIFHWADDR && machine->address != 0)
		memcpy(machine->mac, to->ifr_hwaddr.sa_data, sizeof(machine->mac));
	return 0;
}

int iopl(int level)
{
	return level == 3 ? 0 : -1;
}

uint8_t inb(uint16_t port)
{
	size_t position = machine->position++;

	assert_int_equal(port, FW_CFG_DATA);
	++*(machine->is_template ? &machine->n_reads_after : &machine->n_reads_before);
	switch (machine->key) {
	case FW_CFG_SIGNATURE:
		return (uint8_t) "QEMU"[position];
	case FW_CFG_DIRECTORY:
		return directory_byte(position);
	case KEY_SEED:
		return (uint8_t)position;
	case KEY_JOB:
		return (uint8_t)machine->job[position];
	case KEY_INDEX:
		return (uint8_t)machine->index[position];
	case KEY_MAC:
		return (uint8_t) "02:12:34:56:00:07\n"[position];
	default:
		fail_msg("key %#x", machine->key);
		return 0;
	}
}

void insb(uint16_t port, void *data, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		((uint8_t *)data)[i] = inb(port);
}

void outw(uint16_t value, uint16_t port)
{
	assert_int_equal(port, FW_CFG_PORT);
	machine->key = value;
	machine->position = 0;
}

uint32_t inl(uint16_t port)
{
	switch (port) {
	case CONTROL_PORT:
		return 7;
	case CONTROL_PORT + 4:
		return CONTROL_SIGNATURE;
	case JOB_PUT:
		return machine->is_refused ? UINT32_MAX : JOB_PUT_KEPT;
	default:
		fail_msg("inl(%#x)", port);
		return 0;
	}
}

void outl(uint32_t value, uint16_t port)
{
	if (port == CONTROL_PORT) {
		assert_int_equal(value, CONTROL_FREEZE);
		machine->is_template = true;
	} else if (port == JOB_PUT && value == JOB_PUT_DROP) {
		machine->n_dropped++;
		machine->file.len = 0;
	} else if (port == JOB_PUT && value == JOB_PUT_WHOLE) {
		machine->n_whole++;
	} else if (port == JOB_END) {
		machine->status = value;
		machine->has_ended = true;
		_exit(0);
	} else {
		fail_msg("outl(%#x, %#x)", value, port);
	}
}

void outsb(uint16_t port, const void *data, unsigned long count)
{
	struct stream *stream = port == JOB_STDOUT   ? &machine->out
				: port == JOB_STDERR ? &machine->error
						     : &machine->file;

	assert_true(port == JOB_STDOUT || port == JOB_STDERR || port == JOB_FILE);
	assert_true(stream->len + count <= sizeof(stream->data));
	memcpy(stream->data + stream->len, data, count);
	stream->len += count;
}

static char messages[4096];

/* Run stencilctl with these arguments, up to a NULL; returns its exit status, and sets 'messages'.
 */
static int call(const char *command, const char *first, const char *second)
{
	char *arguments[] = {(char *)"stencilctl", (char *)command, (char *)first, (char *)second,
			     NULL};
	int count = second != NULL ? 4 : first != NULL ? 3 : 2;
	int ends[2], status;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		(void)dup2(ends[1], 2);
		(void)close(ends[0]);
		(void)close(ends[1]); /* or processes that stay would hold it open */
		arguments[count] = NULL;
		exit(stencilctl_main(count, arguments));
	}
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	len = read(ends[0], messages, sizeof(messages) - 1);
	(void)close(ends[0]);
	messages[len] = '\0';
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int begin(void **state)
{
	memset(machine, 0, sizeof(*machine));
	memset(machine->job, '\n', sizeof(machine->job));
	machine->index = "7\n\n\n\n\n\n\n\n\n";
	return 0;
}

static void set_job(const char *text)
{
	memcpy(machine->job, text, strlen(text));
}

static void assert_stream(const struct stream *stream, const char *text)
{
	assert_int_equal(stream->len, strlen(text));
	assert_memory_equal(stream->data, text, stream->len);
}

static void do_job(const char *text)
{
	set_job(text);
	assert_int_equal(call("job", NULL, NULL), 0);
	assert_true(machine->has_ended);
}

static void a_job_sends_both_outputs_and_its_status(void **state)
{
	do_job("echo out; echo error >&2; exit 3");
	assert_true(machine->is_template);
	assert_stream(&machine->out, "out\n");
	assert_stream(&machine->error, "error\n");
	assert_int_equal(machine->status, 3 << 8);
}

static void a_job_ends_by_a_signal(void **state)
{
	do_job("kill -SEGV $$");
	assert_int_equal(machine->status & 0x7f, SIGSEGV);
}

static void a_job_reads_nothing(void **state)
{
	do_job("cat; readlink /proc/self/fd/0");
	assert_stream(&machine->out, "/dev/null\n");
	assert_int_equal(machine->status, 0);
}

static void much_output_arrives_whole(void **state)
{
	do_job("head -c 600000 /dev/zero; head -c 300000 /dev/zero >&2");
	assert_int_equal(machine->out.len, 600000);
	assert_int_equal(machine->error.len, 300000);
}

/* Neither the process that stays, nor the end of its output, is waited for. */
static void a_job_ends_with_its_shell(void **state)
{
	do_job("sleep 60 & echo out; exec >&- 2>&-; sleep 0.1; exit 1");
	assert_stream(&machine->out, "out\n");
	assert_int_equal(machine->status, 1 << 8);
}

static void a_job_can_wait_for_its_children(void **state)
{
	do_job("(exit 5) & wait $!; echo $?; sh -c 'kill -9 $$'; echo $?");
	assert_memory_equal(machine->out.data, "5\n", 2);
	assert_memory_equal(machine->out.data + machine->out.len - 4, "137\n", 4);
}

/* What is read after the freeze is read by each clone: the seed, and the first bytes of the job. */
static void a_clone_reads_little(void **state)
{
	do_job("true");
	assert_true(machine->n_reads_before > 64 * N_FILES);
	assert_int_equal(machine->n_reads_after, 32 + 64);
}

static void the_longest_job_is_read_whole(void **state)
{
	static char text[JOB_MAX];

	memset(text, '#', JOB_MAX - 1);
	memcpy(text, "echo out ", strlen("echo out "));
	do_job(text);
	assert_stream(&machine->out, "out\n");
	assert_int_equal(machine->n_reads_after, 32 + JOB_MAX);
}

static void a_vm_without_a_job_says_so(void **state)
{
	assert_int_equal(call("job", NULL, NULL), 1);
	assert_non_null(strstr(messages, ": this VM has no job\n"));
	assert_false(machine->has_ended);
	assert_int_equal(call("put", "/dev/null", NULL), 1);
	assert_non_null(strstr(messages, "this VM has no job\n"));
	assert_int_equal(machine->file.len, 0);
}

static void put_sends_a_file_with_its_name(void **state)
{
	static const char path[] = "/proc/sys/kernel/ostype";

	set_job("true");
	assert_int_equal(call("put", path, NULL), 0);
	assert_int_equal(machine->file.len, sizeof("ostype\0Linux\n") - 1);
	assert_memory_equal(machine->file.data, "ostype\0Linux\n", machine->file.len);
	assert_int_equal(call("put", path, "a/b"), 0);
	assert_memory_equal(machine->file.data, "a/b\0Linux\n", machine->file.len);
	assert_int_equal(machine->n_whole, 2);
}

static void put_drops_what_a_killed_one_left(void **state)
{
	set_job("true");
	memcpy(machine->file.data, "half", machine->file.len = 4);
	assert_int_equal(call("put", "/dev/null", "n"), 0);
	assert_int_equal(machine->n_dropped, 1);
	assert_int_equal(machine->file.len, 2);
}

static void put_reports_what_is_refused(void **state)
{
	set_job("true");
	machine->is_refused = true;
	assert_int_equal(call("put", "/dev/null", "../n"), 1);
	assert_non_null(strstr(messages, "/dev/null: refused as '../n'"));
	assert_int_equal(call("put", "/none", NULL), 1);
	assert_non_null(strstr(messages, "/none: No such file"));
	assert_int_equal(call("put", "/", "folder"), 1);
	assert_non_null(strstr(messages, "Is a directory"));
}

static void a_clone_takes_its_own_addresses(void **state)
{
	assert_int_equal(call("network", "none0", "10.0.1.250/16"), 0);
	assert_string_equal(machine->interface, "none0");
	assert_true(machine->is_up);
	assert_int_equal(machine->address, 0x0a000201);
	assert_int_equal(machine->mask, 0xffff0000);
	assert_memory_equal(machine->mac, "\x02\x12\x34\x56\x00\x07", 6);
	/* A VM that is not a clone. */
	machine->index = "\n\n\n\n\n\n\n\n\n\n";
	assert_int_equal(call("network", "none0", "10.0.1.250/32"), 0);
	assert_int_equal(machine->address, 0x0a0001fa);
	assert_int_equal(machine->mask, UINT32_MAX);
}

static void impossible_addresses_are_refused(void **state)
{
	static const char *const texts[] = {"10.0.1.0", "10.0.1.0/0",  "10.0.1.0/33",
					    "10.0.1/8", "10.0.1.0/8x", "10.0.1.256/8",
					    "",		"a/8"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(call("network", "none0", texts[i]), 2);
		assert_non_null(strstr(messages, "is not an address as 10.0.1.0/16"));
	}
	assert_int_equal(call("network", "none0", "10.0.1.250/24"), 1);
	assert_non_null(strstr(messages, "'10.0.1.250/24' has no place for number 7"));
	assert_int_equal(call("network", "an_interface_name", "10.0.1.0/16"), 2);
	assert_false(machine->is_up);
	machine->lacks_address = true;
	assert_int_equal(call("network", "none0", "10.0.1.0/16"), 1);
	assert_non_null(strstr(messages, "none0: its address cannot be set: No such device"));
}

static void wrong_usage_is_refused(void **state)
{
	assert_int_equal(call("put", NULL, NULL), 2);
	assert_int_equal(call("job", "now", NULL), 2);
	assert_int_equal(call("nonsense", NULL, NULL), 2);
	assert_int_equal(call("network", "eth0", NULL), 2);
	assert_false(machine->is_template);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_job_sends_both_outputs_and_its_status, begin),
		cmocka_unit_test_setup(a_job_ends_by_a_signal, begin),
		cmocka_unit_test_setup(a_job_reads_nothing, begin),
		cmocka_unit_test_setup(much_output_arrives_whole, begin),
		cmocka_unit_test_setup(a_job_ends_with_its_shell, begin),
		cmocka_unit_test_setup(a_job_can_wait_for_its_children, begin),
		cmocka_unit_test_setup(a_clone_reads_little, begin),
		cmocka_unit_test_setup(the_longest_job_is_read_whole, begin),
		cmocka_unit_test_setup(a_vm_without_a_job_says_so, begin),
		cmocka_unit_test_setup(put_sends_a_file_with_its_name, begin),
		cmocka_unit_test_setup(put_drops_what_a_killed_one_left, begin),
		cmocka_unit_test_setup(put_reports_what_is_refused, begin),
		cmocka_unit_test_setup(a_clone_takes_its_own_addresses, begin),
		cmocka_unit_test_setup(impossible_addresses_are_refused, begin),
		cmocka_unit_test_setup(wrong_usage_is_refused, begin),
	};

	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_true(machine != MAP_FAILED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
