/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For use in a Linux guest: ask Stencil to make a template of this VM, or to revert this clone,
 * and print the VM's identity. Uses ports, without a driver:
 *
 *     control	0x5354	hv/devices/control.h
 *     fw_cfg	0x510	hv/devices/fw_cfg.h
 *     exit	0xf4	-device isa-debug-exit,iobase=0xf4,iosize=4
 *
 * Needs root, and a kernel with ioperm() and iopl(). If a driver reads fw_cfg at the same time,
 * "info" may print nonsense.
 */
#include <argp.h>
#include <err.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	CONTROL_PORT = 0x5354,
	CONTROL_SIGNATURE = 0x434e5453,
	CONTROL_FREEZE = 1,
	CONTROL_REVERT = 2,
	FW_CFG_PORT = 0x510,
	FW_CFG_DATA = 0x511,
	FW_CFG_SIGNATURE = 0x0000,
	FW_CFG_DIRECTORY = 0x0019,
	EXIT_PORT = 0xf4,
	STATUS_MAX = 127, /* bit 0 of isa-debug-exit's 8 bits is always set */
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
	unsigned n_arguments;
	void (*run)(const char *argument);
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

static void read_next(void *buf, size_t len)
{
	unsigned char *to = buf;

	while (len-- > 0)
		*to++ = inb(FW_CFG_DATA);
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
	char signature[4];

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

/*
 * Without a driver for the generation counter, the kernel's random numbers would be the same in
 * every clone: give the kernel our seed, and make it reseed.
 */
static void renew_random(void)
{
	struct {
		struct rand_pool_info info;
		char seed[32];
	} pool = {.info = {.buf_size = sizeof(pool.seed), .entropy_count = 8 * sizeof(pool.seed)}};
	int device = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	for (unsigned n = count_files(); n-- > 0;) {
		struct fw_cfg_file file = find_file(n);

		if (strcmp(file.name, OWN_PREFIX "seed") == 0)
			(void)read_file(&file, pool.info.buf, sizeof(pool.seed));
	}
	if (device < 0 || ioctl(device, RNDADDENTROPY, &pool) != 0 ||
	    ioctl(device, RNDRESEEDCRNG) != 0)
		warn("/dev/urandom was not reseeded: it continues as in other clones");
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

static void info(const char *argument)
{
	unsigned n;

	(void)argument;
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

static void freeze(const char *argument)
{
	uint32_t number;

	(void)argument;
	/* Buffered output would be written by every clone. */
	fflush(NULL);
	sync();
	number = ask(CONTROL_FREEZE);
	if (number == CONTROL_REFUSED)
		errx(1, "the machine did not become a template; see its console for the reason");
	renew_random();
	printf("%u\n", number);
}

static void revert(const char *argument)
{
	(void)argument;
	(void)ask(CONTROL_REVERT);
	errx(1, "this machine is not a clone");
}

static void vm_exit(const char *argument)
{
	char *end;
	unsigned long status = strtoul(argument, &end, 0);

	if (end == argument || *end != '\0' || status > STATUS_MAX)
		errx(2, "'%s' is not a status from 0 to %d", argument, STATUS_MAX);
	open_ports();
	outl((unsigned)status, EXIT_PORT);
	errx(1, "this machine has no isa-debug-exit at port %#x", EXIT_PORT);
}

static const struct command commands[] = {
	{"freeze", 0, freeze},
	{"revert", 0, revert},
	{"info", 0, info},
	{"exit", 1, vm_exit},
};

struct arguments {
	const struct command *command;
	const char *argument;
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
		else if (state->arg_num == arguments->command->n_arguments)
			arguments->argument = text;
		else
			argp_error(state, "unexpected argument '%s'", text);
		if (arguments->command == NULL)
			argp_error(state, "there is no command '%s'", text);
		return 0;
	case ARGP_KEY_END:
		if (arguments->command == NULL)
			argp_error(state, "a command is needed");
		else if (arguments->command->n_arguments > 0 && arguments->argument == NULL)
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
		.args_doc = "freeze\nrevert\ninfo\nexit STATUS",
		.doc = "Talk to Stencil from inside a virtual machine.\v"
		       "freeze   become a template; each clone continues here and prints its "
		       "number\n"
		       "revert   return to the state of the template; clones only, does not "
		       "return\n"
		       "info     print the machine's name, template, index, seed and MAC address, "
		       "and "
		       "how often it was reverted\n"
		       "exit     end the machine with STATUS, 0 to 127, by isa-debug-exit at "
		       "0xf4\n",
	};
	struct arguments arguments = {0};

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	arguments.command->run(arguments.argument);
	return 0;
}
