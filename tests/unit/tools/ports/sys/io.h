/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* Before the system's: the ports are functions of the test. */

#include <stdint.h>

int iopl(int level);
uint8_t inb(uint16_t port);
uint32_t inl(uint16_t port);
void insb(uint16_t port, void *data, unsigned long count);
void outw(uint16_t value, uint16_t port);
void outl(uint32_t value, uint16_t port);
void outsb(uint16_t port, const void *data, unsigned long count);
