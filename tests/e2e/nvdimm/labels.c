/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For use in a Linux guest: the labels of an NVDIMM by the kernel's ioctls, which are its _DSM.
 *
 *     labels size /dev/nmem0          print the size in bytes
 *     labels get /dev/nmem0 OFFSET    print the text there
 *     labels set /dev/nmem0 OFFSET TEXT
 *
 * A status other than 0 is printed, and makes the exit status 1.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/ndctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { TEXT_MAX = 64 };

static int open_dimm(const char *path)
{
	int file = open(path, O_RDWR);

	if (file < 0)
		err(1, "%s", path);
	return file;
}

static void check(int result, uint32_t status)
{
	if (result < 0)
		err(1, "status %u", status);
	if (status != 0)
		errx(1, "status %u", status);
}

static void print_size(int file)
{
	struct nd_cmd_get_config_size size = {0};

	check(ioctl(file, ND_IOCTL_GET_CONFIG_SIZE, &size), size.status);
	printf("%u, %u at a time\n", size.config_size, size.max_xfer);
}

static void get(int file, const char *offset)
{
	struct nd_cmd_get_config_data_hdr *data = calloc(1, sizeof(*data) + TEXT_MAX);

	data->in_offset = (uint32_t)strtoul(offset, NULL, 0);
	data->in_length = TEXT_MAX;
	check(ioctl(file, ND_IOCTL_GET_CONFIG_DATA, data), data->status);
	printf("%.*s\n", TEXT_MAX, (const char *)data->out_buf);
}

/* The status follows the data. */
static void set(int file, const char *offset, const char *text)
{
	size_t len = strlen(text) + 1;
	struct nd_cmd_set_config_hdr *data = calloc(1, sizeof(*data) + len + sizeof(uint32_t));
	uint32_t status;
	int result;

	data->in_offset = (uint32_t)strtoul(offset, NULL, 0);
	data->in_length = (uint32_t)len;
	memcpy(data->in_buf, text, len);
	result = ioctl(file, ND_IOCTL_SET_CONFIG_DATA, data);
	memcpy(&status, data->in_buf + len, sizeof(status));
	check(result, status);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "size") == 0)
		print_size(open_dimm(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "get") == 0)
		get(open_dimm(argv[2]), argv[3]);
	else if (argc == 5 && strcmp(argv[1], "set") == 0)
		set(open_dimm(argv[2]), argv[3], argv[4]);
	else
		errx(2, "usage: labels size|get|set DEVICE [OFFSET [TEXT]]");
	return 0;
}
