/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest code of kvm_bench: guest.S, 32-bit code without paging, copied into a
 * template. The code uses these ports to talk to the monitor.
 */
#pragma once

#define PORT_VALUE  0x10 /* written to, 32 bits: a value for kvm_bench */
#define PORT_DEVICE 0x80 /* a device that the monitor emulates: reads as 0, ignores writes */
#define PORT_KERNEL 0x21 /* one that KVM emulates: the first interrupt controller's mask */

#ifndef __ASSEMBLER__
extern const unsigned char guest_code[], guest_code_end[];

/*
 * Entry points. These measure one instruction repeatedly: after each measurement they write
 * its ticks to PORT_VALUE and add ebp to ebx, the instruction's address if it has one.
 */
extern const unsigned char guest_nothing[], guest_cpuid[], guest_out[], guest_in[],
	guest_in_kernel[], guest_store[], guest_load[];

/* Writes the time of its first instruction, writes to ecx pages from ebx, writes the time. */
extern const unsigned char guest_clone[];

/* Reads ecx pages from ebx, then writes a value. */
extern const unsigned char guest_read[];
#endif
