/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtio devices cost, with as little driver as they need: VIRTIO 1.2, "Virtio Over MMIO" and
 * "Split Virtqueues".
 *	blk_kib		the first device is a read-only disk of at least 64 KiB
 *	net_packet	the first two are network devices at one hub: a frame from one to the other
 *	vsock_message	the first device is a socket device: a message in a stream to its own VM, or
 *to a peer that sends it back, which makes two messages The driver wants no interrupts. The guest
 *takes those of its host, which may have to do the work on the same processor.
 */
#include "tests/bench/bench.h"

#define SLOT(n)	     (UINT64_C(0xfeb00000) + 512 * (7 - (n))) /* of the device number n */
#define DISK_KIB     64
#define FRAME_SIZE   60
#define MESSAGE_SIZE 60
#define N_DESC	     8
#define ID_NET	     1
#define ID_DISK	     2
#define ID_VSOCK     19
#define DESC_NEXT    1
#define DESC_WRITE   2
#define NO_INTERRUPT 1

enum mmio_register {
	DEVICE_ID = 0x08,
	FEATURES = 0x20,
	FEATURES_SELECT = 0x24,
	QUEUE_SELECT = 0x30,
	QUEUE_SIZE = 0x38,
	QUEUE_READY = 0x44,
	NOTIFY = 0x50,
	STATUS = 0x70,
	QUEUE_DESC = 0x80,
	QUEUE_DRIVER = 0x90,
	QUEUE_DEVICE = 0xa0,
	CONFIG = 0x100,
};

struct queue {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags, next;
	} desc[N_DESC];
	struct {
		uint16_t flags, index, head[N_DESC];
	} avail __attribute__((aligned(16)));
	struct {
		uint16_t flags, index;
		uint32_t entry[2 * N_DESC];
	} used __attribute__((aligned(16)));
};

static volatile uint32_t *reg(unsigned device, enum mmio_register at)
{
	return (volatile uint32_t *)(SLOT(device) + at);
}

/* False: the slot is empty, or has another device. */
static bool begin(unsigned device, uint32_t id)
{
	if (*reg(device, DEVICE_ID) != id)
		return false;
	*reg(device, STATUS) = 3;
	*reg(device, FEATURES_SELECT) = 1;
	*reg(device, FEATURES) = 1; /* version 1 */
	*reg(device, STATUS) = 11;
	sti();
	return true;
}

static void add_queue(unsigned device, unsigned number, struct queue *queue)
{
	queue->avail.flags = NO_INTERRUPT;
	*reg(device, QUEUE_SELECT) = number;
	*reg(device, QUEUE_SIZE) = N_DESC;
	*reg(device, QUEUE_DESC) = (uint32_t)(uint64_t)queue->desc;
	*reg(device, QUEUE_DRIVER) = (uint32_t)(uint64_t)&queue->avail;
	*reg(device, QUEUE_DEVICE) = (uint32_t)(uint64_t)&queue->used;
	*reg(device, QUEUE_READY) = 1;
}

static void describe(struct queue *queue, unsigned i, void *at, uint32_t len, uint16_t flags)
{
	queue->desc[i].addr = (uint64_t)at;
	queue->desc[i].len = len;
	queue->desc[i].flags = flags;
	queue->desc[i].next = (uint16_t)(i + 1);
}

/* Offer the chain from descriptor 0 on, again. */
static void offer(struct queue *queue)
{
	queue->avail.index++;
	asm volatile("" ::: "memory");
}

static void wait_for(const struct queue *queue)
{
	while (*(const volatile uint16_t *)&queue->used.index != queue->avail.index)
		;
}

static struct {
	struct queue queue;
	uint32_t header[4]; /* zeros: read from sector 0 on */
	uint8_t status;
	uint8_t data[DISK_KIB * 1024] __attribute__((aligned(PAGE_SIZE)));
} disk __attribute__((aligned(PAGE_SIZE)));

/* Read all of disk.data. */
static uint64_t measure_disk(uint64_t unused)
{
	uint64_t start;

	(void)unused;
	disk.status = 0xff;
	offer(&disk.queue);
	start = __builtin_ia32_rdtsc();
	*reg(0, NOTIFY) = 0;
	wait_for(&disk.queue);
	return (__builtin_ia32_rdtsc() - start) / DISK_KIB;
}

void run_disk(void)
{
	if (!begin(0, ID_DISK)) {
		report_missing("bench: no disk");
		return;
	}
	add_queue(0, 0, &disk.queue);
	*reg(0, STATUS) = 15;
	describe(&disk.queue, 0, disk.header, sizeof(disk.header), DESC_NEXT);
	describe(&disk.queue, 1, disk.data, sizeof(disk.data), DESC_NEXT | DESC_WRITE);
	describe(&disk.queue, 2, &disk.status, 1, DESC_WRITE);
	run("blk_kib", measure_disk, 0, 0);
	report(disk.status == 0, "bench: read %u KiB at a time", DISK_KIB);
}

/* A frame behind the header of the device. */
struct frame {
	uint8_t header[12], bytes[FRAME_SIZE];
};

static struct {
	struct queue receive, send;
	struct frame sent, received;
} net __attribute__((aligned(PAGE_SIZE)));

/* From device 0 to device 1, whose buffer is there. */
static uint64_t measure_net(uint64_t unused)
{
	uint64_t start;

	(void)unused;
	offer(&net.receive);
	*reg(1, NOTIFY) = 0;
	offer(&net.send);
	start = __builtin_ia32_rdtsc();
	*reg(0, NOTIFY) = 1;
	wait_for(&net.receive);
	return __builtin_ia32_rdtsc() - start;
}

void run_net(void)
{
	if (!begin(0, ID_NET) || !begin(1, ID_NET)) {
		report_missing("bench: no two network devices");
		return;
	}
	add_queue(0, 1, &net.send);
	add_queue(1, 0, &net.receive);
	*reg(0, STATUS) = *reg(1, STATUS) = 15;
	memset(net.sent.bytes, 0xff, 6); /* to all */
	net.sent.bytes[6] = 2;		 /* from an address of its own */
	describe(&net.send, 0, &net.sent, sizeof(net.sent), 0);
	describe(&net.receive, 0, &net.received, sizeof(net.received), DESC_WRITE);
	run("net_packet", measure_net, 0, 0);
	report(net.received.bytes[6] == 2, "bench: sent frames of %u bytes", FRAME_SIZE);
}

/* VIRTIO 1.2, struct virtio_vsock_hdr, with MESSAGE_SIZE bytes. */
struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
	uint8_t bytes[MESSAGE_SIZE];
} __attribute__((packed));

enum { OP_REQUEST = 1, OP_RW = 5 };

static struct {
	struct queue receive, send;
	struct packet sent, received;
	uint64_t n_messages; /* of an exchange */
} vsock __attribute__((aligned(PAGE_SIZE)));

/* Send a packet of 'len' bytes. */
static void send_packet(uint16_t op, uint32_t len)
{
	vsock.sent.op = op;
	vsock.sent.len = len;
	vsock.send.desc[0].len = sizeof(vsock.sent) - MESSAGE_SIZE + len;
	offer(&vsock.send);
	*reg(0, NOTIFY) = 1;
}

/* Wait for a packet that came. */
static void receive_packet(void)
{
	offer(&vsock.receive);
	*reg(0, NOTIFY) = 0;
	wait_for(&vsock.receive);
}

/* A message, until it is here. What a peer says of its memory comes in between. */
static uint64_t measure_vsock(uint64_t unused)
{
	uint64_t start = __builtin_ia32_rdtsc();

	(void)unused;
	send_packet(OP_RW, MESSAGE_SIZE);
	do
		receive_packet();
	while (vsock.received.op != OP_RW);
	return (__builtin_ia32_rdtsc() - start) / vsock.n_messages;
}

void run_vsock(uint64_t peer)
{
	uint32_t own;

	if (!begin(0, ID_VSOCK)) {
		report_missing("bench: no socket device");
		return;
	}
	own = *reg(0, CONFIG);
	add_queue(0, 0, &vsock.receive);
	add_queue(0, 1, &vsock.send);
	*reg(0, STATUS) = 15;
	vsock.n_messages = peer == OWN_CID ? 1 : 2;
	vsock.sent = (struct packet){
		.src_cid = own,
		.dst_cid = peer == OWN_CID ? own : peer,
		.src_port = 1024,
		.dst_port = 1,
		.type = 1, /* a stream */
		.buf_alloc = 1 << 20,
	};
	describe(&vsock.send, 0, &vsock.sent, sizeof(vsock.sent), 0);
	describe(&vsock.receive, 0, &vsock.received, sizeof(vsock.received), DESC_WRITE);
	send_packet(OP_REQUEST, 0);
	receive_packet();
	run("vsock_message", measure_vsock, 0, 0);
	report(vsock.received.len == MESSAGE_SIZE, "bench: sent messages of %u bytes",
	       MESSAGE_SIZE);
}
