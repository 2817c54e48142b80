/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * A pair of 8259A interrupt controllers, the second one at the first one's input 2. Part of struct
 * irqchip, which passes its output on. Plain state without pointers; locking: see there.
 */
#define PIC_N_LINES  16
#define PIC_N_CHIPS  2
#define PIC_CASCADE  2 /* the first chip's input that is the second chip */
#define PIC_PORT     0x20
#define PIC_PORT_2   0xa0
#define PIC_N_PORTS  2
#define PIC_ELCR     0x4d0 /* edge/level control registers: one port for each chip */
#define PIC_N_ELCR   2
#define PIC_VECTOR   0x08 /* of the first chip's input 0, as a PC's firmware sets it */
#define PIC_VECTOR_2 0x70

/* Which initialization command word comes next, ICW2 to ICW4; PIC_READY: none. */
enum pic_phase { PIC_READY, PIC_WANTS_ICW2, PIC_WANTS_ICW3, PIC_WANTS_ICW4 };

struct pic_chip {
	uint8_t line;	     /* inputs as they are, bit n: input n is asserted */
	uint8_t irr;	     /* requests */
	uint8_t isr;	     /* in service */
	uint8_t imr;	     /* masks */
	uint8_t elcr;	     /* bit n: input n is level-triggered */
	uint8_t first;	     /* input of the highest priority, 0 to 7 */
	uint8_t vector;	     /* of input 0, a multiple of 8 */
	uint8_t phase;	     /* enum pic_phase */
	uint8_t icw1;	     /* the last one: whether ICW3 and ICW4 come */
	bool auto_eoi;	     /* an interrupt ends when it is acknowledged, ... */
	bool rotates;	     /* ... and its input then gets the lowest priority */
	bool special_mask;   /* masked inputs in service do not block others */
	bool special_nested; /* the second chip's inputs interrupt each other */
	bool reads_isr;	     /* the first port reads ISR, not IRR */
	bool polls;	     /* the next read acknowledges */
};

struct pic {
	struct pic_chip chip[PIC_N_CHIPS];
};

/* As a PC's firmware leaves it: PIC_VECTOR and PIC_VECTOR_2, all inputs masked. */
void pic_reset(struct pic *pic);
/* Assert or deassert line 'irq', below 16 and not PIC_CASCADE. */
void pic_set_line(struct pic *pic, unsigned irq, bool level);
/* The pair's output INTR. */
bool pic_has_interrupt(const struct pic *pic);
/* Whether line 'irq' could still raise an interrupt: it is not masked, and no request waits. */
bool pic_is_open(const struct pic *pic, unsigned irq);
/*
 * The processor acknowledges: the vector of the interrupt, which is now in service. If there is
 * none any more, the vector of input 7, which is not in service.
 */
uint8_t pic_acknowledge(struct pic *pic);
/* The interrupt that was acknowledged with 'vector' has not reached the guest: it waits again. */
void pic_take_back(struct pic *pic, uint8_t vector);

/* The two ports of each chip, and its ELCR, in accesses of one byte; 'addr' is the port. */
uint8_t pic_read(struct pic *pic, uint64_t port);
void pic_write(struct pic *pic, uint64_t port, uint8_t value);

/* Only for the saved state: what an access to a port changes also concerns the irqchip. */
extern const struct device_class pic_chip_class;
