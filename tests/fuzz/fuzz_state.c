/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a VM's state: after a valid head; or, if the first byte is odd, written over a good
 * file at the offset that the next two bytes give.
 */
#include "hv/devices/lapic_timer.h"
#include "hv/lib/crc32.h"
#include "hv/vm/state.h"
#include "tests/unit/vm_state_vm.h"

#define FILE_MAX (1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct state_vm from, to;
static uint8_t good[FILE_MAX], file[FILE_MAX];
static size_t good_len;
static struct vm_state_host host = {NULL, 1000000000, 1000, UINT64_C(1700000000000000000)};

static void make_once(void)
{
	if (good_len > 0)
		return;
	host.cpuid = state_host_cpuid();
	state_vm_make(&from, host.cpuid);
	state_vm_make(&to, host.cpuid);
	state_vm_fill(&from);
	good_len = vm_state_size(from.vm);
	vm_state_write(from.vm, &host, good);
}

/* Returns the file's length. */
static size_t make_file(const uint8_t *data, size_t size)
{
	size_t at = STATE_HEAD_SIZE, len = STATE_HEAD_SIZE + size;

	memcpy(file, good, good_len);
	if (size >= 3 && data[0] & 1) {
		at += (data[1] | (size_t)data[2] << 8) % (good_len - STATE_HEAD_SIZE);
		data += 3;
		size -= 3;
		len = at + size > good_len ? at + size : good_len;
	}
	memcpy(file + at, data, size);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vm_state_file in = {.data = file, .model = &to.model};
	uint32_t crc;
	size_t len;

	make_once();
	if (size > FILE_MAX / 2)
		return 0;
	len = make_file(data, size);
	memcpy(file + 16, &len, 8);
	crc = crc32_add(0, file + 16, len - 16);
	memcpy(file + 12, &crc, 4);
	in.len = len;
	if (vm_state_read(to.vm, &host, &in) != OK && in.why[0] == '\0')
		abort();
	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		lapic_update_timer(&to.vm->platform.irqchip.lapic[i], UINT64_MAX);
	return 0;
}
