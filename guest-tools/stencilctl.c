/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For use in a Linux guest: ask Stencil to make a template of this VM, or to revert this clone,
 * print the VM's identity, and do a job of a map. Uses ports, without a driver:
 *
 *     control	0x5354	hv/devices/control.h
 *     job	0x5364	docs/map.md
 *     fw_cfg	0x510	hv/devices/fw_cfg.h
 *     exit	0xf4	-device isa-debug-exit,iobase=0xf4,iosize=4
 *
 * Needs root, and a kernel with ioperm() and iopl(). If a driver reads fw_cfg at the same time,
 * "info" may print nonsense.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CONTROL_PORT = 0x5354,
	CONTROL_SIGNATURE = 0x434e5453,
	CONTROL_FREEZE = 1,
	CONTROL_REVERT = 2,
	JOB_STDOUT = 0x5364,
	JOB_STDERR = 0x5368,
	JOB_FILE = 0x536c,
	JOB_PUT = 0x5370,
	JOB_PUT_DROP = 0,
	JOB_PUT_WHOLE = 1,
	JOB_PUT_KEPT = 0,
	JOB_END = 0x5374,
	PART_SIZE = 4096,
	JOB_MAX = 4096, /* bytes of a job's text, with a newline at its end */
	FW_CFG_PORT = 0x510,
	FW_CFG_DATA = 0x511,
	FW_CFG_SIGNATURE = 0x0000,
	FW_CFG_DIRECTORY = 0x0019,
	EXIT_PORT = 0xf4,
	STATUS_MAX = 127, /* bit 0 of isa-debug-exit's 8 bits is always set */
	ARGUMENTS_MAX = 2,
};

#define CONTROL_REFUSED UINT32_MAX
#define OWN_PREFIX	"opt/stencil/"

struct fw_cfg_file {
	uint32_t size;
	uint16_t number;
	char name[56];
};

struct command {
	const char *name;
	unsigned min_arguments;
	unsigned max_arguments;	       /* at most ARGUMENTS_MAX */
	void (*run)(char **arguments); /* up to a NULL */
};

/* Older kernels refuse ports above 0x3ff in ioperm(): open all ports instead. */
static void open_ports(void)
{
	if (iopl(3) != 0)
		err(1, "no access to ports");
}

static uint32_t ask(uint32_t command)
{
	open_ports();
	if (inl(CONTROL_PORT + 4) != CONTROL_SIGNATURE)
		errx(1, "this machine is not Stencil's");
	outl(command, CONTROL_PORT);
	return inl(CONTROL_PORT);
}

/* glibc's insb() and outsb() do not tell the compiler that they use memory. */
static void fence(void)
{
	__asm__ volatile("" : : : "memory");
}

static void read_next(void *buf, size_t len)
{
	insb(FW_CFG_DATA, buf, len);
	fence();
}

static void send_bytes(uint16_t port, const char *data, size_t len)
{
	fence();
	outsb(port, data, len);
}

static uint32_t read_big(unsigned size)
{
	uint32_t value = 0;

	while (size-- > 0)
		value = value << 8 | inb(FW_CFG_DATA);
	return value;
}

static struct fw_cfg_file read_entry(void)
{
	struct fw_cfg_file file = {.size = read_big(4), .number = (uint16_t)read_big(2)};

	(void)read_big(2);
	read_next(file.name, sizeof(file.name));
	file.name[sizeof(file.name) - 1] = '\0';
	return file;
}

/* The number of files; 0: there is no fw_cfg. */
static unsigned count_files(void)
{
	char signature[4] = {0};

	outw(FW_CFG_SIGNATURE, FW_CFG_PORT);
	read_next(signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)) != 0)
		return 0;
	outw(FW_CFG_DIRECTORY, FW_CFG_PORT);
	return read_big(4);
}

/*
 * The directory's n-th entry. Selects the directory again, because a file may have been read since.
 */
static struct fw_cfg_file find_file(unsigned n)
{
	struct fw_cfg_file file;

	outw(FW_CFG_DIRECTORY, FW_CFG_PORT);
	(void)read_big(4);
	do
		file = read_entry();
	while (n-- > 0);
	return file;
}

static size_t read_file(const struct fw_cfg_file *file, void *buf, size_t size)
{
	size_t len = file->size < size ? file->size : size;

	outw(file->number, FW_CFG_PORT);
	read_next(buf, len);
	return len;
}

/* The number of the file that Stencil gives every VM, 'name' after the prefix; 0: there is none. */
static uint16_t find_number(const char *name)
{
	for (unsigned n = count_files(); n-- > 0;) {
		struct fw_cfg_file file = find_file(n);

		if (strncmp(file.name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0 &&
		    strcmp(file.name + strlen(OWN_PREFIX), name) == 0)
			return file.number;
	}
	return 0;
}

/*
 * Without a driver for the generation counter, the kernel's random numbers would be the same in
 * every clone: give the kernel our seed, the file of this number, and make it reseed.
 */
static void renew_random(uint16_t number)
{
	enum { SEED = 32 };
	union {
		struct rand_pool_info info;
		char room[sizeof(struct rand_pool_info) + SEED];
	} pool = {.info = {.buf_size = SEED, .entropy_count = 8 * SEED}};
	int device = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	outw(number, FW_CFG_PORT);
	read_next(pool.info.buf, SEED);
	if (number == 0 || device < 0 || ioctl(device, RNDADDENTROPY, &pool) != 0 ||
	    ioctl(device, RNDRESEEDCRNG) != 0)
		warn("/dev/urandom was not reseeded: it continues as in other clones");
	(void)close(device);
}

static bool is_text(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((data[i] < ' ' || data[i] > '~') && data[i] != '\n')
			return false;
	return true;
}

static void print_file(const struct fw_cfg_file *file)
{
	char data[64];
	size_t len = read_file(file, data, sizeof(data));

	printf("%s=", file->name + strlen(OWN_PREFIX));
	if (is_text(data, len))
		for (size_t i = 0; i < len && data[i] != '\n'; i++)
			putchar(data[i]);
	else
		for (size_t i = 0; i < len; i++)
			printf("%02x", (unsigned char)data[i]);
	putchar('\n');
}

static void info(char **arguments)
{
	unsigned n;

	(void)arguments;
	open_ports();
	n = count_files();
	if (n == 0)
		errx(1, "this machine has no fw_cfg");
	for (unsigned i = 0; i < n; i++) {
		struct fw_cfg_file file = find_file(i);

		if (strncmp(file.name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
			print_file(&file);
	}
	if (inl(CONTROL_PORT + 4) == CONTROL_SIGNATURE)
		printf("reverts=%u\n", inl(CONTROL_PORT + 12));
}

/* Returns in each clone, with its number. Each costs what is done here: all that can be is done
 * before. */
static uint32_t become_template(void)
{
	uint16_t seed;
	uint32_t number;

	open_ports();
	seed = find_number("seed");
	/* Buffered output would be written by every clone. */
	fflush(NULL);
	sync();
	number = ask(CONTROL_FREEZE);
	if (number == CONTROL_REFUSED)
		errx(1, "the machine did not become a template; see its console for the reason");
	renew_random(seed);
	return number;
}

static void freeze(char **arguments)
{
	(void)arguments;
	printf("%u\n", become_template());
}

/* Read the job of this VM from the file of this number. It has none if the text is empty. */
static bool read_job(uint16_t number, char text[JOB_MAX])
{
	static const size_t step = 64; /* most jobs are short, and each byte costs the clone */
	char *end = NULL;

	if (number == 0)
		return false;
	outw(number, FW_CFG_PORT);
	for (size_t len = 0; end == NULL && len < JOB_MAX; len += step) {
		read_next(text + len, step);
		end = memchr(text + len, '\n', step);
	}
	if (end == NULL || end == text)
		return false;
	*end = '\0';
	return true;
}

/* Start the shell with the job, in a session of its own and without a signal blocked. */
static pid_t start_job(char *text, int out, int error)
{
	char *arguments[] = {"/bin/sh", "-c", text, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t child;
	int status;

	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, out, 1) != 0 ||
	    posix_spawn_file_actions_adddup2(&files, error, 2) != 0 ||
	    posix_spawnattr_init(&attributes) != 0 ||
	    posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
	    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID) != 0)
		errx(1, "no memory");
	status = posix_spawn(&child, "/bin/sh", &files, &attributes, arguments, environ);
	if (status != 0)
		errx(1, "/bin/sh: %s", strerror(status));
	return child;
}

/* Send what is in the pipe; false: it is at its end, or empty and would be waited for. */
static bool send_part(int pipe, uint16_t port)
{
	char part[PART_SIZE];
	ssize_t len = read(pipe, part, sizeof(part));

	if (len > 0)
		send_bytes(port, part, (size_t)len);
	return len > 0;
}

/* Send what the pipe holds, and not what a process that stays writes later. */
static void send_rest(int pipe, uint16_t port)
{
	int len;

	if (ioctl(pipe, FIONREAD, &len) == 0)
		for (; len > 0; len -= PART_SIZE)
			(void)send_part(pipe, port);
}

/* True, with its wait status: this child has ended. Other children are those that init inherits. */
static bool has_ended(pid_t child, int *status)
{
	pid_t ended;

	do
		ended = waitpid(-1, status, WNOHANG);
	while (ended > 0 && ended != child);
	return ended == child;
}

/*
 * Carry the job's output until its shell has ended; returns the wait status. What other processes
 * of the job write later belongs to no result.
 */
static int carry(pid_t child, int out, int error, int ends)
{
	struct pollfd sources[] = {{out, POLLIN, 0}, {error, POLLIN, 0}, {ends, POLLIN, 0}};
	struct signalfd_siginfo info;
	int status;

	do {
		if (poll(sources, 3, -1) < 0)
			err(1, "poll");
		if (sources[0].revents != 0 && !send_part(out, JOB_STDOUT))
			sources[0].fd = -1;
		if (sources[1].revents != 0 && !send_part(error, JOB_STDERR))
			sources[1].fd = -1;
		(void)read(ends, &info, sizeof(info));
	} while (!has_ended(child, &status));
	send_rest(out, JOB_STDOUT);
	send_rest(error, JOB_STDERR);
	return status;
}

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
		err(1, "pipe");
}

/*
 * Become a template, and do a clone's job. The clone's wait status ends it; this returns only from
 * a VM that has no job.
 */
static void job(char **arguments)
{
	char text[JOB_MAX];
	int out[2], error[2], ends;
	uint16_t number;
	sigset_t child_ends;
	pid_t child;

	(void)arguments;
	make_pipe(out);
	make_pipe(error);
	sigemptyset(&child_ends);
	sigaddset(&child_ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_ends, NULL);
	ends = signalfd(-1, &child_ends, SFD_NONBLOCK | SFD_CLOEXEC);
	if (ends < 0)
		err(1, "signalfd");
	open_ports();
	number = find_number("job");
	(void)become_template();
	if (!read_job(number, text))
		errx(1, "this VM has no job");
	child = start_job(text, out[1], error[1]);
	(void)close(out[1]);
	(void)close(error[1]);
	outl((unsigned)carry(child, out[0], error[0], ends), JOB_END);
	errx(1, "the VM has not ended");
}

static void mount_at(const char *type, const char *folder)
{
	(void)mkdir(folder, 0755);
	if (mount(type, folder, type, 0, NULL) != 0 && errno != EBUSY)
		warn("%s", folder);
}

/* As the first process of an initial file system: the job's shell finds what a Linux has. */
static void init(char **arguments)
{
	mount_at("devtmpfs", "/dev");
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	(void)setenv("PATH",
		     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/.stencil", 1);
	job(arguments);
}

/* One process at a time, because all write to one port. The lock ends with the process. */
static void lock_files(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (self < 0 || flock(self, LOCK_EX) != 0)
		err(1, "/proc/self/exe");
}

static void send_content(const char *path, int file)
{
	char part[PART_SIZE];
	ssize_t len;

	while ((len = read(file, part, sizeof(part))) > 0)
		send_bytes(JOB_FILE, part, (size_t)len);
	if (len < 0)
		err(1, "%s", path);
}

/* A file that was begun and not completed, because its process was killed, is dropped. */
static void put(char **arguments)
{
	const char *path = arguments[0], *name = arguments[1];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char text[JOB_MAX];

	if (file < 0)
		err(1, "%s", path);
	if (name == NULL)
		name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	open_ports();
	lock_files();
	if (!read_job(find_number("job"), text))
		errx(1, "this VM has no job");
	outl(JOB_PUT_DROP, JOB_PUT);
	send_bytes(JOB_FILE, name, strlen(name) + 1);
	send_content(path, file);
	outl(JOB_PUT_WHOLE, JOB_PUT);
	if (inl(JOB_PUT) != JOB_PUT_KEPT)
		errx(1,
		     "%s: refused as '%s': the map has no out=, the job has a file of this name, "
		     "the name is not a relative path in ASCII, or the memory for it is used up",
		     path, name);
}

static void revert(char **arguments)
{
	(void)arguments;
	(void)ask(CONTROL_REVERT);
	errx(1, "this machine is not a clone");
}

/* A file that Stencil gives every VM, as text; "" for one that is empty. */
static void read_text(const char *name, char *text, size_t size)
{
	for (unsigned n = count_files(); n-- > 0;) {
		struct fw_cfg_file file = find_file(n);

		if (strncmp(file.name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0 ||
		    strcmp(file.name + strlen(OWN_PREFIX), name) != 0)
			continue;
		text[read_file(&file, text, size - 1)] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return;
	}
	errx(1, "this machine has no fw_cfg file %s%s", OWN_PREFIX, name);
}

static void set_interface(int device, unsigned long request, const char *what, struct ifreq *to)
{
	if (ioctl(device, request, to) != 0)
		err(1, "%s: its %s cannot be set", to->ifr_name, what);
}

static void set_address(int device, unsigned long request, const char *what, struct ifreq *to,
			uint32_t address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

	memcpy(&to->ifr_addr, &in, sizeof(in));
	set_interface(device, request, what, to);
}

/* "10.0.1.0/16", and the clone's number is added to the address. */
static uint32_t parse_address(const char *text, uint32_t number, uint32_t *ret_mask)
{
	char address[INET_ADDRSTRLEN];
	unsigned bits;
	struct in_addr in;
	uint32_t first;
	int end = 0;

	if (sscanf(text, "%15[0-9.]/%2u%n", address, &bits, &end) != 2 || text[end] != '\0' ||
	    bits < 1 || bits > 32 || inet_pton(AF_INET, address, &in) != 1)
		errx(2, "'%s' is not an address as 10.0.1.0/16", text);
	first = ntohl(in.s_addr);
	*ret_mask = UINT32_MAX << (32 - bits);
	if ((first + number) < first || ((first ^ (first + number)) & *ret_mask))
		errx(1, "'%s' has no place for number %u", text, number);
	return first + number;
}

/* Let Linux tell its neighbours when its link-level address changes. */
static void announce_changes(const char *name)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.*s/arp_notify", IFNAMSIZ, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0 || write(file, "1", 1) != 1)
		warn("%s: the change of address is not announced", path);
	(void)close(file);
}

/* The link-level address comes last: with it Linux announces both. */
static void network(char **arguments)
{
	struct ifreq to = {.ifr_flags = IFF_UP};
	unsigned char mac[6];
	char text[64];
	uint32_t address, mask;
	int device = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(arguments[0]) >= IFNAMSIZ)
		errx(2, "'%s' is not the name of an interface", arguments[0]);
	strcpy(to.ifr_name, arguments[0]);
	open_ports();
	read_text("index", text, sizeof(text));
	address = parse_address(arguments[1], (uint32_t)strtoul(text, NULL, 10), &mask);
	read_text("mac", text, sizeof(text));
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]) != 6)
		errx(1, "'%s' is not a MAC address", text);
	set_interface(device, SIOCSIFFLAGS, "state", &to);
	announce_changes(to.ifr_name);
	set_address(device, SIOCSIFADDR, "address", &to, address);
	set_address(device, SIOCSIFNETMASK, "netmask", &to, mask);
	memset(&to.ifr_hwaddr, 0, sizeof(to.ifr_hwaddr));
	to.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(to.ifr_hwaddr.sa_data, mac, sizeof(mac));
	set_interface(device, SIOCSIFHWADDR, "MAC address", &to);
	(void)close(device);
}

static void vm_exit(char **arguments)
{
	const char *argument = arguments[0];
	char *end;
	unsigned long status = strtoul(argument, &end, 0);

	if (end == argument || *end != '\0' || status > STATUS_MAX)
		errx(2, "'%s' is not a status from 0 to %d", argument, STATUS_MAX);
	open_ports();
	outl((unsigned)status, EXIT_PORT);
	errx(1, "this machine has no isa-debug-exit at port %#x", EXIT_PORT);
}

static const struct command commands[] = {
	{"freeze", 0, 0, freeze}, {"revert", 0, 0, revert},   {"info", 0, 0, info},
	{"exit", 1, 1, vm_exit},  {"job", 0, 0, job},	      {"init", 0, 0, init},
	{"put", 1, 2, put},	  {"network", 2, 2, network},
};

struct arguments {
	const struct command *command;
	unsigned n;
	char *words[ARGUMENTS_MAX + 1]; /* and a NULL */
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (arguments->command == NULL)
			arguments->command = find_command(text);
		else if (arguments->n < arguments->command->max_arguments)
			arguments->words[arguments->n++] = text;
		else
			argp_error(state, "unexpected argument '%s'", text);
		if (arguments->command == NULL)
			argp_error(state, "there is no command '%s'", text);
		return 0;
	case ARGP_KEY_END:
		if (arguments->command == NULL)
			argp_error(state, "a command is needed");
		else if (arguments->n < arguments->command->min_arguments)
			argp_error(state, "'%s' needs an argument", arguments->command->name);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "freeze\nrevert\ninfo\nexit STATUS\njob\ninit\nput FILE [NAME]\n"
			    "network INTERFACE ADDRESS/BITS",
		.doc = "Talk to Stencil from inside a virtual machine.\v"
		       "freeze   become a template; each clone continues here and prints its "
		       "number\n"
		       "revert   return to the state of the template; clones only, does not "
		       "return\n"
		       "info     print the machine's name, template, index, seed and MAC address, "
		       "and "
		       "how often it was reverted\n"
		       "exit     end the machine with STATUS, 0 to 127, by isa-debug-exit at "
		       "0xf4\n"
		       "job      become a template; each clone does its job of a map, a command of "
		       "/bin/sh, and ends\n"
		       "init     the same as the first process: mount /dev, /proc and /sys before\n"
		       "put      add FILE to the job's results, as NAME\n"
		       "network  give INTERFACE the machine's MAC address, and ADDRESS plus the "
		       "clone's number\n",
	};
	struct arguments arguments = {0};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	arguments.command->run(arguments.words);
	return 0;
}
