/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg: see fw_cfg.h. The guest supplies a 16-bit number and a request, and no field of either is
 * trusted beyond the bounds checked below. The request is read again for each piece of a transfer,
 * because the guest may change it.
 */
#include "hv/devices/fw_cfg.h"

#include "hv/devices/clone_name.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum item_number {
	ITEM_SIGNATURE = 0x00,
	ITEM_ID = 0x01,
	ITEM_UUID = 0x02,
	ITEM_RAM_SIZE = 0x03,
	ITEM_NOGRAPHIC = 0x04,
	ITEM_N_CPUS = 0x05,
	ITEM_MAX_CPUS = 0x0f,
	ITEM_DIRECTORY = 0x19,
};

#define ITEM_MASK	0x3fff
#define ITEM_ARCH_LOCAL 0x8000
#define ID_TRADITIONAL	BIT(0)
#define ID_DMA		BIT(1)
#define UUID_SIZE	16

enum own_file { OWN_NAME, OWN_TEMPLATE, OWN_INDEX, OWN_SEED, OWN_MAC, OWN_JOB };
_Static_assert(OWN_JOB == FW_CFG_OWN_FILES, "one entry in the directory each");

static const struct {
	const char *name;
	uint32_t len;
} own_files[] = {
	[OWN_NAME] = {"opt/stencil/name", 64},	 [OWN_TEMPLATE] = {"opt/stencil/template", 64},
	[OWN_INDEX] = {"opt/stencil/index", 16}, [OWN_SEED] = {"opt/stencil/seed", 32},
	[OWN_MAC] = {"opt/stencil/mac", 18},	 [OWN_JOB] = {"opt/stencil/job", FW_CFG_JOB_SIZE},
};

#define OWN_SIZE 64 /* of the longest computed item, except for the directory and the job */

/* An item. 'data' points into 'own', or elsewhere. */
struct item {
	const uint8_t *data;
	uint64_t len;
	uint8_t own[OWN_SIZE];
};

#define DIRECTORY_HEAD 4
#define DIRECTORY_NAME (FW_CFG_NAME_MAX + 1)
struct directory_entry {
	uint8_t size[4]; /* big-endian, as are all numbers here */
	uint8_t number[2];
	uint8_t reserved[2];
	char name[DIRECTORY_NAME];
};
_Static_assert(sizeof(struct directory_entry) == OWN_SIZE, "fw_cfg's struct FWCfgFile");

/* The request in a guest's memory: control, length and address, big-endian. */
#define REQUEST_SIZE   16
#define CONTROL_ERROR  BIT(0)
#define CONTROL_READ   BIT(1)
#define CONTROL_SKIP   BIT(2)
#define CONTROL_SELECT BIT(3)
#define CONTROL_WRITE  BIT(4)

struct request {
	uint32_t control;
	uint32_t len;
	uint64_t address;
};

static void put_big(uint8_t *to, unsigned size, uint64_t value)
{
	while (size-- > 0) {
		to[size] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_big(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

static void set_number(struct item *item, uint64_t value, unsigned size)
{
	memcpy(item->own, &value, size);
	item->len = size;
}

static void set_text(struct item *item, const char *text, size_t len)
{
	size_t n = strnlen(text, len - 1);

	memcpy(item->own, text, n);
	memset(item->own + n, '\n', len - n);
	item->len = len;
}

/* Without a template and a name, the name is empty. */
static void set_name(struct item *item, const struct identity *identity)
{
	char own[CLONE_NAME_SIZE] = "";

	if (identity->name == NULL && identity->template != NULL)
		clone_name(own, identity->template, identity->number, identity->index);
	set_text(item, identity->name ? identity->name : own, own_files[OWN_NAME].len);
}

/* Few guests ask for it. A reader at the same time makes the same one. */
static const uint8_t *mac_of(struct fw_cfg *fw_cfg)
{
	struct identity *identity = &fw_cfg->identity;

	if (!identity->has_mac)
		identity_make_mac(fw_cfg->machine, identity->index, identity->mac);
	identity->has_mac = true;
	return identity->mac;
}

static void set_own_file(struct item *item, struct fw_cfg *fw_cfg, enum own_file file)
{
	const struct identity *identity = &fw_cfg->identity;
	bool is_clone = identity->template != NULL;
	const uint8_t *mac;
	char text[20] = "";

	switch (file) {
	case OWN_NAME:
		set_name(item, identity);
		return;
	case OWN_TEMPLATE:
		set_text(item, is_clone ? identity->template : "", own_files[file].len);
		return;
	case OWN_INDEX:
		if (is_clone)
			format(text, sizeof(text), "%u", (unsigned)identity->number);
		break;
	case OWN_SEED:
		item->data = identity->seed;
		item->len = sizeof(identity->seed);
		return;
	case OWN_JOB:
		item->len = FW_CFG_JOB_SIZE; /* see set_job_part() */
		return;
	case OWN_MAC:
		mac = mac_of(fw_cfg);
		format(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
		break;
	}
	set_text(item, text, own_files[file].len);
}

/* NULL: there are fewer files. */
static const struct fw_cfg_file *find_file(const struct fw_cfg *fw_cfg, unsigned n)
{
	const struct fw_cfg_file *file = fw_cfg->files;

	while (file && file->item == 0 && n-- > 0)
		file = file->next;
	return file && file->item == 0 ? file : NULL;
}

static void set_numbered(struct item *item, const struct fw_cfg *fw_cfg, unsigned number)
{
	const struct fw_cfg_file *file = fw_cfg->files;

	while (file && file->item != number)
		file = file->next;
	if (file == NULL)
		return;
	item->data = file->data;
	item->len = file->len;
}

/* The number of the job's file, the last one: those of -fw_cfg keep theirs in older states. */
static unsigned job_number(const struct fw_cfg *fw_cfg)
{
	unsigned n = FW_CFG_OWN_FILES;

	for (const struct fw_cfg_file *file = fw_cfg->files; file && file->item == 0;
	     file = file->next)
		n++;
	return n;
}

/* Whether a file is one of ours; otherwise '*ret_file' is the one of -fw_cfg, or NULL. */
static bool is_own(const struct fw_cfg *fw_cfg, unsigned n, enum own_file *ret,
		   const struct fw_cfg_file **ret_file)
{
	*ret = n;
	if (n < FW_CFG_OWN_FILES)
		return true;
	*ret = OWN_JOB;
	*ret_file = find_file(fw_cfg, n - FW_CFG_OWN_FILES);
	return *ret_file == NULL && n == job_number(fw_cfg);
}

static void set_file(struct item *item, const struct fw_cfg *fw_cfg, unsigned n)
{
	const struct fw_cfg_file *file;
	enum own_file own;

	if (is_own(fw_cfg, n, &own, &file)) {
		set_own_file(item, (struct fw_cfg *)fw_cfg, own);
		return;
	}
	if (file == NULL)
		return;
	item->data = file->data;
	item->len = file->len;
}

/* Find any item except the directory. A missing item has no bytes. */
static void find_item(const struct fw_cfg *fw_cfg, struct item *item)
{
	unsigned number = fw_cfg->selected & ITEM_MASK;

	item->data = item->own;
	item->len = 0;
	if (fw_cfg->selected & ITEM_ARCH_LOCAL)
		return;
	switch (number) {
	case ITEM_SIGNATURE:
		memcpy(item->own, "QEMU", 4);
		item->len = 4;
		break;
	case ITEM_ID:
		set_number(item, ID_TRADITIONAL | ID_DMA, 4);
		break;
	case ITEM_UUID:
		memset(item->own, 0, UUID_SIZE);
		item->len = UUID_SIZE;
		break;
	case ITEM_RAM_SIZE:
		set_number(item, fw_cfg->ram_size, 8);
		break;
	case ITEM_NOGRAPHIC:
		set_number(item, 1, 2);
		break;
	case ITEM_N_CPUS:
	case ITEM_MAX_CPUS:
		set_number(item, fw_cfg->n_cpus, 2);
		break;
	default:
		if (number >= FW_CFG_FIRST_FILE)
			set_file(item, fw_cfg, number - FW_CFG_FIRST_FILE);
		else
			set_numbered(item, fw_cfg, number);
	}
}

static bool is_directory(const struct fw_cfg *fw_cfg)
{
	return (fw_cfg->selected & (ITEM_ARCH_LOCAL | ITEM_MASK)) == ITEM_DIRECTORY;
}

static uint64_t item_len(const struct fw_cfg *fw_cfg, const struct item *item)
{
	if (!is_directory(fw_cfg))
		return item->len;
	return DIRECTORY_HEAD + (job_number(fw_cfg) + 1) * sizeof(struct directory_entry);
}

static void make_entry(const struct fw_cfg *fw_cfg, unsigned n, struct directory_entry *entry)
{
	const struct fw_cfg_file *file;
	enum own_file own;
	bool is_ours = is_own(fw_cfg, n, &own, &file);

	memset(entry, 0, sizeof(*entry));
	put_big(entry->size, sizeof(entry->size), is_ours ? own_files[own].len : file->len);
	put_big(entry->number, sizeof(entry->number), FW_CFG_FIRST_FILE + n);
	format(entry->name, sizeof(entry->name), "%s", is_ours ? own_files[own].name : file->name);
}

/*
 * The part of the directory that contains byte '*off': the head or an entry. '*off' becomes the
 * offset in that part.
 */
static void set_directory_part(struct item *part, const struct fw_cfg *fw_cfg, uint64_t *off)
{
	struct directory_entry entry;

	part->data = part->own;
	if (*off < DIRECTORY_HEAD) {
		put_big(part->own, DIRECTORY_HEAD, job_number(fw_cfg) + 1);
		part->len = DIRECTORY_HEAD;
		return;
	}
	*off -= DIRECTORY_HEAD;
	make_entry(fw_cfg, (unsigned)(*off / sizeof(entry)), &entry);
	memcpy(part->own, &entry, sizeof(entry));
	part->len = sizeof(entry);
	*off %= sizeof(entry);
}

static bool is_job(const struct fw_cfg *fw_cfg)
{
	unsigned number = fw_cfg->selected & (ITEM_ARCH_LOCAL | ITEM_MASK);

	return number == FW_CFG_FIRST_FILE + job_number(fw_cfg);
}

/* The part of the job that contains byte '*off', which becomes the offset in that part. */
static void set_job_part(struct item *part, const struct fw_cfg *fw_cfg, uint64_t *off)
{
	const char *text = fw_cfg->identity.job ? fw_cfg->identity.job : "";
	size_t len = strnlen(text, FW_CFG_JOB_SIZE - 1);

	if (*off < len) {
		part->data = (const uint8_t *)text;
		part->len = len;
		return;
	}
	memset(part->own, '\n', sizeof(part->own));
	*off = 0;
	part->len = FW_CFG_JOB_SIZE - fw_cfg->offset;
	if (part->len > sizeof(part->own))
		part->len = sizeof(part->own);
}

/* Few guests ask for their seed: random numbers take the processor some time. */
static void draw_seed(struct fw_cfg *fw_cfg)
{
	struct identity *identity = &fw_cfg->identity;
	unsigned number = fw_cfg->selected & (ITEM_ARCH_LOCAL | ITEM_MASK);

	if (number != FW_CFG_FIRST_FILE + OWN_SEED || identity->has_seed)
		return;
	fw_cfg->fill_random(identity->seed, sizeof(identity->seed));
	identity->has_seed = true;
}

/*
 * The contiguous bytes of the selected item from the offset on: at '*ret_data', which may point
 * into 'item'. 0: the end of the item.
 */
static uint64_t next_bytes(struct fw_cfg *fw_cfg, struct item *item, const uint8_t **ret_data)
{
	uint64_t off = fw_cfg->offset;

	draw_seed(fw_cfg);
	find_item(fw_cfg, item);
	if (off >= item_len(fw_cfg, item))
		return 0;
	if (is_directory(fw_cfg))
		set_directory_part(item, fw_cfg, &off);
	else if (is_job(fw_cfg))
		set_job_part(item, fw_cfg, &off);
	*ret_data = item->data + off;
	return item->len - off;
}

static void select_item(struct fw_cfg *fw_cfg, uint16_t number)
{
	fw_cfg->selected = number;
	fw_cfg->offset = 0;
}

static void forget_request(struct fw_cfg *fw_cfg)
{
	fw_cfg->dma_address = 0;
	fw_cfg->dma_done = 0;
}

void fw_cfg_reset(struct fw_cfg *fw_cfg)
{
	select_item(fw_cfg, ITEM_SIGNATURE);
	forget_request(fw_cfg);
}

static uint64_t read_signature(const struct io_access *access)
{
	static const char signature[FW_CFG_DMA_N_PORTS] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};
	uint64_t value = 0;

	memcpy(&value, signature + access->off, access->size);
	return value;
}

/* As in QEMU, the data are at both ports: the selector's and the next. */
static uint64_t fw_cfg_read(void *dev, const struct io_access *access)
{
	struct fw_cfg *fw_cfg = dev;
	const uint8_t *data;
	struct item item;

	if (access->addr >= FW_CFG_DMA_PORT)
		return read_signature(access);
	if (access->size != 1)
		return UINT64_MAX;
	if (next_bytes(fw_cfg, &item, &data) == 0)
		return 0;
	fw_cfg->offset++;
	return *data;
}

static uint32_t write_dma_address(struct fw_cfg *fw_cfg, const struct io_access *access)
{
	uint32_t half = __builtin_bswap32((uint32_t)access->value);

	if (access->size != 4 || access->off % 4 != 0)
		return 0;
	/* Another address replaces a request that is under way. */
	if (access->off == 0 || (fw_cfg_is_busy(fw_cfg) && (uint32_t)fw_cfg->dma_address != half))
		forget_request(fw_cfg);
	fw_cfg->dma_address |= access->off == 0 ? (uint64_t)half << 32 : half;
	return access->off == 0 ? 0 : WISH_FW_CFG;
}

static uint32_t fw_cfg_write(void *dev, const struct io_access *access)
{
	struct fw_cfg *fw_cfg = dev;

	if (access->addr >= FW_CFG_DMA_PORT)
		return write_dma_address(fw_cfg, access);
	if (access->off == 0 && access->size == 2)
		select_item(fw_cfg, (uint16_t)access->value);
	return 0;
}

static void advance(struct request *request, uint64_t n)
{
	request->address += n;
	request->len -= (uint32_t)n;
}

/* Read from the item, or skip in it; 'request' becomes what is left. Zeros follow the item's end.
 */
static enum status transfer(struct fw_cfg *fw_cfg, struct guest_memory *memory,
			    struct request *request, bool is_read)
{
	uint32_t end = is_read && request->len > FW_CFG_PIECE ? request->len - FW_CFG_PIECE : 0;

	while (request->len > end) {
		uint64_t limit = request->len - end;
		const uint8_t *data;
		struct item item;
		uint64_t n = next_bytes(fw_cfg, &item, &data);
		bool is_over = n == 0;

		if (is_over || n > limit)
			n = limit;
		if (is_read)
			TRY(is_over ? guest_zero(memory, (gpa_t){request->address}, n)
				    : guest_write(memory, (gpa_t){request->address}, data, n));
		if (!is_over)
			fw_cfg->offset += (uint32_t)n;
		advance(request, n);
	}
	return OK;
}

static enum status execute(struct fw_cfg *fw_cfg, struct guest_memory *memory,
			   struct request *request)
{
	uint32_t control = request->control;

	if (control & CONTROL_SELECT && !fw_cfg_is_busy(fw_cfg))
		select_item(fw_cfg, (uint16_t)(control >> 16));
	if (control & (CONTROL_READ | CONTROL_SKIP))
		return transfer(fw_cfg, memory, request, (control & CONTROL_READ) != 0);
	if (control & CONTROL_WRITE && request->len > 0)
		return ERR_INVAL;
	request->len = 0;
	return OK;
}

/* Read the request at 'gpa', without what is done already. */
static enum status read_request(const struct fw_cfg *fw_cfg, struct guest_memory *memory, gpa_t gpa,
				struct request *ret)
{
	uint8_t bytes[REQUEST_SIZE];

	TRY(guest_read(memory, gpa, bytes, sizeof(bytes)));
	*ret = (struct request){.control = (uint32_t)get_big(bytes, 4),
				.len = (uint32_t)get_big(bytes + 4, 4),
				.address = get_big(bytes + 8, 8)};
	advance(ret, ret->len < fw_cfg->dma_done ? ret->len : fw_cfg->dma_done);
	return OK;
}

enum status fw_cfg_transfer(struct fw_cfg *fw_cfg, struct guest_memory *memory)
{
	gpa_t gpa = {fw_cfg->dma_address};
	struct request request;
	uint8_t answer[4];
	enum status status = read_request(fw_cfg, memory, gpa, &request);

	if (status == OK) {
		uint32_t len = request.len;

		status = execute(fw_cfg, memory, &request);
		fw_cfg->dma_done += len - request.len;
		if (status == OK && request.len > 0)
			return OK;
	}
	forget_request(fw_cfg);
	if (status == ERR_NOMEM)
		return ERR_NOMEM;
	put_big(answer, sizeof(answer), status == OK ? 0 : CONTROL_ERROR);
	status = guest_write(memory, gpa, answer, sizeof(answer));
	/* If there is no memory at the address, the guest gets no answer. */
	return status == ERR_NOMEM ? ERR_NOMEM : OK;
}

/* Files, sizes and identity belong to the VM that loads the state. */
static const struct state_field fw_cfg_fields[] = {
	STATE_FIELD(struct fw_cfg, selected, 0xffff),
	STATE_FIELD(struct fw_cfg, offset, UINT32_MAX),
	STATE_FIELD(struct fw_cfg, dma_address, UINT64_MAX),
	STATE_FIELD_SINCE(3, struct fw_cfg, dma_done, UINT32_MAX),
	STATE_FIELD(struct fw_cfg, reserved, 0),
};

const struct device_class fw_cfg_class = {
	.name = "fw_cfg",
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.fields = fw_cfg_fields,
	.n_fields = ARRAY_SIZE(fw_cfg_fields),
};
