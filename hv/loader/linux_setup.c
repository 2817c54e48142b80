/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See linux_setup.h. The kernel is code that its VM may run as well as any other; only what is read
 * here from its header is checked.
 */
#include "hv/loader/linux_setup.h"

#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"

/* The setup header, as offsets in the file. */
#define HDR_SETUP_SECTS	    0x1f1
#define HDR_VERSION	    0x206
#define HDR_TYPE_OF_LOADER  0x210
#define HDR_LOADFLAGS	    0x211
#define HDR_RAMDISK_IMAGE   0x218
#define HDR_RAMDISK_SIZE    0x21c
#define HDR_HEAP_END	    0x224
#define HDR_CMD_LINE_PTR    0x228
#define HDR_INITRD_ADDR_MAX 0x22c
#define HDR_CMDLINE_SIZE    0x238
#define HDR_END_2_10	    0x264

#define VERSION_CMD_LINE_PTR	0x202
#define VERSION_INITRD_ADDR_MAX 0x203
#define VERSION_CMDLINE_SIZE	0x206
#define LOADFLAG_HIGH		BIT(0)
#define LOADFLAG_HEAP		BIT(7)
#define LOADER_UNDEFINED	0xff
#define SECTOR_SIZE		512
#define INITRD_ADDR_MAX_DEFAULT 0x37ffffff
#define CMDLINE_LEN_DEFAULT	255

/* Below the command line: the setup code, its heap, and the stack. */
#define SETUP_ADDR    0x10000
#define CMDLINE_ADDR  0x20000
#define CMDLINE_LIMIT KIB(64)
#define KERNEL_ADDR   0x100000
#define STACK_LEN     0x200
#define SETUP_LEN_MAX (CMDLINE_ADDR - SETUP_ADDR - STACK_LEN)
/* What firmware may keep at the end of RAM. */
#define FIRMWARE_LEN MIB(1)

static uint32_t cmdline_limit(const uint8_t *kernel, unsigned version)
{
	uint32_t size = version < VERSION_CMDLINE_SIZE ? CMDLINE_LEN_DEFAULT
						       : loader_get_u32(kernel + HDR_CMDLINE_SIZE);

	return size < CMDLINE_LIMIT ? size : CMDLINE_LIMIT - 1;
}

/* NULL: the header can be followed. */
static const char *check_header(const struct linux_setup_input *input, struct linux_setup *plan)
{
	const uint8_t *kernel = input->kernel;
	unsigned sects;

	if (!linux_detect(kernel, input->kernel_len) || input->kernel_len < HDR_END_2_10)
		return "firmware starts only Linux kernels, and this is none";
	plan->version = loader_get_u16(kernel + HDR_VERSION);
	sects = kernel[HDR_SETUP_SECTS] == 0 ? 4 : kernel[HDR_SETUP_SECTS];
	plan->setup_len = (sects + 1) * SECTOR_SIZE;
	if (plan->setup_len >= input->kernel_len || plan->setup_len > SETUP_LEN_MAX)
		return "invalid kernel header";
	if (plan->version < VERSION_CMD_LINE_PTR || !(kernel[HDR_LOADFLAGS] & LOADFLAG_HIGH))
		return "the kernel's boot protocol is older than 2.02, or it is a zImage";
	return NULL;
}

static const char *place_cmdline(const struct linux_setup_input *input, struct linux_setup *plan)
{
	size_t len = input->append != NULL ? strlen(input->append) : 0;

	if (len > cmdline_limit(input->kernel, plan->version))
		return "the command line is longer than the kernel takes";
	plan->cmdline_addr = CMDLINE_ADDR;
	plan->cmdline_len = (uint32_t)len + 1;
	return NULL;
}

/* At the end of RAM; the option ROM moves it if the firmware has less. */
static const char *place_initrd(const struct linux_setup_input *input, struct linux_setup *plan)
{
	uint64_t limit = plan->version < VERSION_INITRD_ADDR_MAX
				 ? INITRD_ADDR_MAX_DEFAULT
				 : loader_get_u32(input->kernel + HDR_INITRD_ADDR_MAX);
	uint64_t ram_end =
		input->ram_below_4g > FIRMWARE_LEN ? input->ram_below_4g - FIRMWARE_LEN : 0;
	uint64_t kernel_end = KERNEL_ADDR + (uint64_t)plan->kernel_len;

	limit = limit + 1 < ram_end ? limit + 1 : ram_end;
	if (input->kernel_len > limit || kernel_end > limit)
		return "the kernel needs more RAM than the VM has";
	if (input->initrd_len > limit - kernel_end)
		return "initrd is too large, cannot support";
	plan->initrd_len = (uint32_t)input->initrd_len;
	if (plan->initrd_len > 0)
		plan->initrd_addr = (uint32_t)((limit - input->initrd_len) & ~(PAGE_SIZE - 1));
	return NULL;
}

const char *linux_setup_plan(const struct linux_setup_input *input, struct linux_setup *ret)
{
	struct linux_setup plan = {.setup_addr = SETUP_ADDR, .kernel_addr = KERNEL_ADDR};
	const char *why = check_header(input, &plan);

	if (why != NULL)
		return why;
	plan.kernel_len = (uint32_t)(input->kernel_len - plan.setup_len);
	why = place_cmdline(input, &plan);
	if (why == NULL)
		why = place_initrd(input, &plan);
	if (why == NULL)
		*ret = plan;
	return why;
}

static void put_u32(uint8_t *setup, size_t offset, uint32_t value)
{
	memcpy(setup + offset, &value, sizeof(value));
}

void linux_setup_complete(const struct linux_setup *plan, uint8_t *setup)
{
	const uint16_t heap_end = (uint16_t)(plan->cmdline_addr - plan->setup_addr - STACK_LEN);

	setup[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	setup[HDR_LOADFLAGS] |= LOADFLAG_HEAP;
	memcpy(setup + HDR_HEAP_END, &heap_end, sizeof(heap_end));
	put_u32(setup, HDR_CMD_LINE_PTR, plan->cmdline_addr);
	put_u32(setup, HDR_RAMDISK_IMAGE, plan->initrd_addr);
	put_u32(setup, HDR_RAMDISK_SIZE, plan->initrd_len);
}
