/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of kernels: what all kinds have in common. Writes strings, finds room in the guest's RAM.
 *
 * Assumes that the memory map is ascending, and that the VM has its memory and does not run yet.
 * Kernel files are hostile: every number in them is checked against the file and the memory map
 * before it is used.
 */
#include "hv/loader/loader.h"

#include "hv/guest/guest_memory.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static void say(struct loader *loader, size_t prefix, const char *fmt, va_list args)
{
	if (prefix < loader->error_size)
		format_v(loader->error + prefix, loader->error_size - prefix, fmt, args);
}

enum status loader_refuse_at(struct loader *loader, enum status status, uint64_t offset,
			     const char *fmt, ...)
{
	size_t prefix = format(loader->error, loader->error_size,
			       "%s: offset 0x%lx: ", loader->input->kernel_name, offset);
	va_list args;

	va_start(args, fmt);
	say(loader, prefix, fmt, args);
	va_end(args);
	return status;
}

enum status loader_refuse(struct loader *loader, enum status status, const char *fmt, ...)
{
	size_t prefix =
		format(loader->error, loader->error_size, "%s: ", loader->input->kernel_name);
	va_list args;

	va_start(args, fmt);
	say(loader, prefix, fmt, args);
	va_end(args);
	return status;
}

static enum status refuse_memory(struct loader *loader, enum status status, uint64_t addr,
				 uint64_t len)
{
	const char *why = status == ERR_NOMEM ? "no frames are left for" : "cannot write";

	return loader_refuse(loader, status, "%s guest memory 0x%lx to 0x%lx", why, addr,
			     addr + len);
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Count a write of 'len' bytes. Returns how many of them are in the part that is wanted, from
 * '*ret_skip' on.
 */
static uint64_t take_part(struct loader *loader, uint64_t len, uint64_t *ret_skip)
{
	const struct loader_input *input = loader->input;
	uint64_t at = loader->state->n_written, from, to;

	loader->state->n_written += len;
	*ret_skip = 0;
	if (input->part_len == 0)
		return len;
	from = max_u64(at, input->part_start);
	to = min_u64(at + len, input->part_start + input->part_len);
	*ret_skip = from - at;
	return from < to ? to - from : 0;
}

/* 'skipped' is not compared. */
static enum status check_blobs(struct loader *loader, uint64_t addr, uint64_t len,
			       const struct loader_blob *skipped)
{
	for (const struct loader_blob *blob = loader->input->blobs; blob != NULL;
	     blob = blob->next) {
		if (blob == skipped || addr + len <= blob->addr || blob->addr + blob->len <= addr)
			continue;
		return loader_refuse(loader, ERR_OVERLAP,
				     "0x%lx to 0x%lx is needed, where -device loader puts %s, at "
				     "0x%lx to 0x%lx",
				     addr, addr + len, blob->name, blob->addr,
				     blob->addr + blob->len);
	}
	return OK;
}

static enum status write_bytes(struct loader *loader, uint64_t addr, const void *buf, uint64_t len)
{
	uint64_t skip, n = take_part(loader, len, &skip);
	enum status status;

	if (n == 0)
		return OK;
	status = guest_write(loader->memory, (gpa_t){addr + skip}, (const char *)buf + skip, n);
	return status == OK ? OK : refuse_memory(loader, status, addr, len);
}

enum status loader_write(struct loader *loader, uint64_t addr, const void *buf, uint64_t len)
{
	TRY(check_blobs(loader, addr, len, NULL));
	return write_bytes(loader, addr, buf, len);
}

enum status loader_zero(struct loader *loader, uint64_t addr, uint64_t len)
{
	uint64_t skip, n = take_part(loader, len, &skip);
	enum status status;

	TRY(check_blobs(loader, addr, len, NULL));
	if (n == 0)
		return OK;
	status = guest_zero(loader->memory, (gpa_t){addr + skip}, n);
	return status == OK ? OK : refuse_memory(loader, status, addr, len);
}

enum status loader_write_fields(struct loader *loader, uint64_t addr,
				const struct loader_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(loader_write(loader, addr + fields[i].offset, &fields[i].value,
				 fields[i].size));
	return OK;
}

enum status loader_write_string(struct loader *loader, const char *s, const char *what,
				uint64_t *ret_addr)
{
	uint64_t room = loader_at(loader, LOADER_STRINGS_END) - loader->string_end;
	uint64_t addr = loader->string_end, len = strlen(s) + 1;

	if (len > room)
		return loader_refuse(loader, ERR_RANGE,
				     "the %s is %lu bytes long, there is room for %lu", what, len,
				     room);
	TRY(loader_write(loader, addr, s, len));
	loader->string_end += len;
	*ret_addr = addr;
	return OK;
}

/* One past the entry's last byte, but never above the usable RAM. */
static uint64_t entry_end(const struct loader *loader, const struct e820_entry *entry)
{
	uint64_t end;

	if (__builtin_add_overflow(entry->addr, entry->len, &end) ||
	    end > loader->input->ram_below_4g)
		return loader->input->ram_below_4g;
	return end;
}

uint64_t loader_ram_end(const struct loader *loader, uint64_t start)
{
	uint64_t end = start;

	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];

		if (entry->type == E820_RAM && entry->addr <= end && entry_end(loader, entry) > end)
			end = entry_end(loader, entry);
	}
	return end;
}

/* The highest multiple of 'align' in [start, end) from which 'len' bytes fit; 0: there is none. */
static uint64_t top_of(uint64_t start, uint64_t end, uint64_t len, uint64_t align)
{
	if (start < LOADER_KERNEL_MIN)
		start = LOADER_KERNEL_MIN;
	if (end < start || end - start < len)
		return 0;
	uint64_t top = align_down(end - len, align);

	return top < start ? 0 : top;
}

uint64_t loader_place_high(const struct loader *loader, uint64_t limit, uint64_t len,
			   uint64_t align)
{
	uint64_t kernel_start = loader->state->kernel_start.raw;
	uint64_t kernel_end = loader->state->kernel_end.raw;
	uint64_t best = 0;

	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];
		uint64_t end = min_u64(loader_ram_end(loader, entry->addr), limit);
		uint64_t below = min_u64(end, kernel_start);

		if (entry->type != E820_RAM)
			continue;
		best = max_u64(best, top_of(entry->addr, below, len, align));
		best = max_u64(best, top_of(max_u64(entry->addr, kernel_end), end, len, align));
	}
	return best;
}

/* As loader_place_low(), but at any address. */
static uint64_t place(const struct loader *loader, uint64_t from, uint64_t len, uint64_t align)
{
	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];
		uint64_t start = max_u64(entry->addr, from);

		if (entry->type != E820_RAM || start >= loader->input->ram_below_4g)
			continue;
		start = align_up(start, align);
		if (loader_ram_end(loader, start) - start >= len &&
		    loader_ram_end(loader, entry->addr) > start)
			return start;
	}
	return 0;
}

uint64_t loader_place_low(const struct loader *loader, uint64_t from, uint64_t len, uint64_t align)
{
	return place(loader, max_u64(from, LOADER_KERNEL_MIN), len, align);
}

enum status loader_avoid_kernel(struct loader *loader)
{
	struct loader_state *state = loader->state;
	const uint64_t len = LOADER_LOW_END - LOADER_LOW_START;
	uint64_t at;

	if (state->kernel_start.raw >= LOADER_LOW_END)
		return OK;
	at = place(loader, max_u64(state->kernel_end.raw, LOADER_LOW_START), len, PAGE_SIZE);
	if (at == 0)
		return loader_refuse(loader, ERR_RANGE,
				     "no room for the loader's %lu KiB after the kernel, which "
				     "ends at 0x%lx",
				     len >> 10, state->kernel_end.raw);
	loader->moved = at - LOADER_LOW_START;
	loader->string_end += loader->moved;
	state->kernel_end = (gpa_t){at + len};
	return OK;
}

enum status loader_write_blobs(struct loader *loader)
{
	for (const struct loader_blob *blob = loader->input->blobs; blob != NULL;
	     blob = blob->next) {
		uint64_t end;

		if (__builtin_add_overflow(blob->addr, blob->len, &end) ||
		    loader_ram_end(loader, blob->addr) < end)
			return loader_refuse(
				loader, ERR_RANGE,
				"-device loader puts %s at 0x%lx, 0x%lx bytes, not all "
				"of which is RAM below 4 GiB",
				blob->name, blob->addr, blob->len);
		TRY(check_blobs(loader, blob->addr, blob->len, blob));
		TRY(write_bytes(loader, blob->addr, blob->data, blob->len));
	}
	return OK;
}

static uint64_t to_mib(uint64_t bytes)
{
	return (bytes >> 20) + (is_aligned(bytes, MIB(1)) ? 0 : 1);
}

enum status loader_refuse_size(struct loader *loader, const char *what, uint64_t start,
			       uint64_t len)
{
	return loader_refuse(loader, ERR_RANGE,
			     "the %s needs RAM from 0x%lx to 0x%lx, not all of which exists: %lu "
			     "MiB are needed, the VM has %lu MiB below 4 GiB",
			     what, start, start + len, to_mib(start + len),
			     to_mib(loader->input->ram_below_4g));
}

enum status loader_copy_high(struct loader *loader, const struct loader_module *file,
			     uint64_t limit, const char *what, uint64_t *ret_addr)
{
	uint64_t addr = loader_place_high(loader, limit, file->len, PAGE_SIZE);

	if (addr == 0)
		return loader_refuse(loader, ERR_RANGE,
				     "no room for the %s of %lu bytes beside the "
				     "kernel and below 0x%lx: %lu MiB are needed",
				     what, file->len, limit,
				     to_mib(loader->state->kernel_end.raw) + to_mib(file->len));
	TRY(loader_write(loader, addr, file->data, file->len));
	*ret_addr = addr;
	return OK;
}

enum status loader_check_modules(struct loader *loader)
{
	if (loader->input->n_modules <= LOADER_MODULES_MAX)
		return OK;
	return loader_refuse(loader, ERR_RANGE, "%zu modules, at most %d are possible",
			     loader->input->n_modules, LOADER_MODULES_MAX);
}

enum status loader_copy_module(struct loader *loader, size_t i, uint64_t *end, uint64_t *ret_addr)
{
	const struct loader_module *module = &loader->input->modules[i];
	uint64_t addr = loader_place_low(loader, *end, module->len, PAGE_SIZE);

	if (addr == 0)
		return loader_refuse(loader, ERR_RANGE,
				     "no room for module %zu (%s) of %lu bytes above 0x%lx", i,
				     module->cmdline, module->len, *end);
	TRY(loader_write(loader, addr, module->data, module->len));
	*end = addr + module->len;
	if (i == 0)
		loader->state->initrd_start = (gpa_t){addr};
	*ret_addr = addr;
	return OK;
}
