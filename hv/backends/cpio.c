/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpio archives in the "new ASCII" format, with and without checksums, as Linux reads them from an
 * initramfs: several in a row, and hard links with the data at one of their names. Offsets in an
 * archive count from its own start, so an archive may start at any byte. The archive may be
 * hostile: every length is compared with what is left.
 *
 * An extension holds files of 4 GiB and more: with the magic number "07070L" the last field holds
 * the upper half of the size. Other programs refuse such an entry; they cannot misread it.
 */
#include "hv/backends/cpio.h"

#include "hv/backends/parse.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"

#define HEADER_BYTES   110
#define NAME_BYTES_MAX 4096 /* with its NUL; as Linux */

#define TYPE_MASK      0170000U
#define TYPE_DIRECTORY 0040000U
#define TYPE_FILE      0100000U
#define TYPE_SYMLINK   0120000U

/* The fields of 8 hexadecimal digits after the magic number, in order. */
enum field {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	FILESIZE,
	DEVMAJOR,
	DEVMINOR,
	RDEVMAJOR,
	RDEVMINOR,
	NAMESIZE,
	CHECK,
	N_FIELDS
};

struct entry {
	uint32_t field[N_FIELDS];
	uint64_t size; /* bytes of data */
	bool has_check;
	const char *name;
	uint64_t data; /* offset into the ramdisk */
};

struct reader {
	const char *text;
	phys_t base;
	uint64_t len;
	uint64_t at;	     /* of the current header */
	uint64_t archive_at; /* where its archive begins */
	struct arena *arena;
	struct diag *diag;
	struct image *first, **tail;
	struct image *archive_first; /* of this archive: hard links do not cross it */
};

static enum status corrupt(const struct reader *reader, const char *what)
{
	diag_error(reader->diag, DIAG_NOWHERE, "ramdisk: offset 0x%lx: %s", reader->at, what);
	return ERR_CORRUPT;
}

static enum status corrupt_entry(const struct reader *reader, const struct entry *entry,
				 const char *what)
{
	diag_error(reader->diag, DIAG_NOWHERE, "ramdisk: offset 0x%lx ('%s'): %s", reader->at,
		   entry->name, what);
	return ERR_CORRUPT;
}

static enum status no_memory(const struct reader *reader)
{
	diag_error(reader->diag, DIAG_NOWHERE,
		   "ramdisk: offset 0x%lx: no memory is left for more files", reader->at);
	return ERR_NOMEM;
}

static bool parse_field(const char *text, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 8; i++) {
		unsigned digit = parse_hex_digit(text[i]);

		if (digit == 16)
			return false;
		value = value << 4 | digit;
	}
	*ret = value;
	return true;
}

/* What the bytes in the place of a header are, if they are not one. */
static const char *describe(const char *text, uint64_t left)
{
	static const struct {
		const char *magic;
		uint8_t len;
		const char *what;
	} known[] = {
		{"070707", 6, "cpio format odc is not supported (use -H newc)"},
		{"\xc7\x71", 2, "binary cpio format is not supported (use -H newc)"},
		{"\x71\xc7", 2, "binary cpio format is not supported (use -H newc)"},
		{"\x1f\x8b", 2, "compressed archives (gzip) are not supported"},
		{"\x28\xb5\x2f\xfd", 4, "compressed archives (zstd) are not supported"},
		{"\xfd"
		 "7zXZ",
		 5, "compressed archives (xz) are not supported"},
		{"BZh", 3, "compressed archives (bzip2) are not supported"},
		{"\x02\x21\x4c\x18", 4, "compressed archives (lz4) are not supported"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (left >= known[i].len && memcmp(text, known[i].magic, known[i].len) == 0)
			return known[i].what;
	}
	return "not a cpio header (magic 070701 or 070702 expected)";
}

static enum status read_header(const struct reader *reader, struct entry *ret)
{
	const char *text = reader->text + reader->at;
	uint64_t left = reader->len - reader->at;

	if (left < 6 || memcmp(text, "07070", 5) != 0 ||
	    (text[5] != '1' && text[5] != '2' && text[5] != 'L'))
		return corrupt(reader, describe(text, left));
	if (left < HEADER_BYTES)
		return corrupt(reader, "header is cut off");
	ret->has_check = text[5] == '2';
	for (int i = 0; i < N_FIELDS; i++) {
		if (!parse_field(text + 6 + 8 * i, &ret->field[i]))
			return corrupt(reader, "header has a field that is not hexadecimal");
	}
	ret->size = ret->field[FILESIZE];
	if (text[5] == 'L')
		ret->size |= (uint64_t)ret->field[CHECK] << 32;
	return OK;
}

static enum status read_name(const struct reader *reader, struct entry *entry)
{
	uint64_t at = reader->at + HEADER_BYTES, size = entry->field[NAMESIZE];

	if (size == 0 || size > NAME_BYTES_MAX)
		return corrupt(reader, "length of the name is not in 1 to 4096");
	if (size > reader->len - at)
		return corrupt(reader, "name runs past the end");
	if (reader->text[at + size - 1] != '\0')
		return corrupt(reader, "name does not end in NUL");
	entry->name = reader->text + at;
	return OK;
}

/* 'offset' rounded up to a multiple of 4, counted from the start of the archive. */
static uint64_t pad(const struct reader *reader, uint64_t offset)
{
	return reader->archive_at + align_up(offset - reader->archive_at, 4);
}

static enum status read_entry(const struct reader *reader, struct entry *ret)
{
	TRY(read_header(reader, ret));
	TRY(read_name(reader, ret));
	ret->data = pad(reader, reader->at + HEADER_BYTES + ret->field[NAMESIZE]);
	if (ret->size == 0)
		return OK;
	if (ret->data > reader->len || ret->size > reader->len - ret->data)
		return corrupt_entry(reader, ret, "data run past the end");
	return OK;
}

static enum status check_sum(const struct reader *reader, const struct entry *entry)
{
	const uint8_t *data = (const uint8_t *)reader->text + entry->data;
	uint32_t sum = 0;

	if (!entry->has_check || entry->size == 0 || (entry->field[MODE] & TYPE_MASK) != TYPE_FILE)
		return OK;
	for (uint64_t i = 0; i < entry->size; i++)
		sum += data[i];
	return sum == entry->field[CHECK] ? OK : corrupt_entry(reader, entry, "wrong checksum");
}

/* "./a//b" becomes "/a/b"; 'path' has room for one byte more than 'name' and its NUL. */
static bool normalise(const char *name, char *path)
{
	char *out = path;

	for (;;) {
		size_t len = 0;

		while (*name == '/')
			name++;
		while (name[len] != '\0' && name[len] != '/')
			len++;
		if (len == 0)
			break;
		if (len == 2 && name[0] == '.' && name[1] == '.')
			return false;
		if (len != 1 || name[0] != '.') {
			*out++ = '/';
			memcpy(out, name, len);
			out += len;
		}
		name += len;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
	return true;
}

static enum image_type type_of(uint32_t mode)
{
	switch (mode & TYPE_MASK) {
	case TYPE_FILE:
		return IMAGE_FILE;
	case TYPE_DIRECTORY:
		return IMAGE_DIRECTORY;
	case TYPE_SYMLINK:
		return IMAGE_SYMLINK;
	}
	return IMAGE_SPECIAL;
}

static void set_data(const struct reader *reader, struct image *image, const struct entry *entry)
{
	image->size = entry->size;
	image->base = reader->base + (image->size > 0 ? entry->data : 0);
	image->aligned = is_aligned(image->base, PAGE_SIZE);
}

/* The same file under its first name in this archive; NULL: this is the first. */
static struct image *find_link(const struct reader *reader, const struct image *image)
{
	struct image *other = image->n_links > 1 ? reader->archive_first : NULL;

	if (image->type != IMAGE_FILE)
		return NULL;
	for (; other != NULL && other != image; other = other->next) {
		if (other->type == IMAGE_FILE && other->target == NULL && other->n_links > 1 &&
		    other->inode == image->inode && other->device_major == image->device_major &&
		    other->device_minor == image->device_minor)
			return other;
	}
	return NULL;
}

static enum status add_image(struct reader *reader, const struct entry *entry)
{
	struct image *image = arena_alloc(reader->arena, sizeof(*image));
	char *path = arena_alloc(reader->arena, strlen(entry->name) + 2);

	if (image == NULL || path == NULL)
		return no_memory(reader);
	if (!normalise(entry->name, path))
		return corrupt_entry(reader, entry, "'..' in a name is not supported");
	*image = (struct image){
		.path = path,
		.type = type_of(entry->field[MODE]),
		.mode = entry->field[MODE] & ~TYPE_MASK,
		.n_links = entry->field[NLINK],
		.inode = entry->field[INO],
		.device_major = entry->field[DEVMAJOR],
		.device_minor = entry->field[DEVMINOR],
	};
	*reader->tail = image;
	reader->tail = &image->next;
	if (reader->archive_first == NULL)
		reader->archive_first = image;
	image->target = find_link(reader, image);
	if (image->target == NULL)
		set_data(reader, image, entry);
	else if (entry->size > 0)
		set_data(reader, image->target, entry);
	return OK;
}

/*
 * Where the next header is. A trailer is followed by padding or immediately by another archive;
 * only the bytes there tell which.
 */
static uint64_t entry_end(const struct reader *reader, const struct entry *entry, bool last)
{
	if (entry->size > 0)
		return pad(reader, entry->data + entry->size);
	return last ? reader->at + HEADER_BYTES + entry->field[NAMESIZE] : entry->data;
}

/* Read one archive and its trailer; 'at' moves past them. */
static enum status read_archive(struct reader *reader)
{
	struct entry entry;
	bool last = false;

	reader->archive_at = reader->at;
	reader->archive_first = NULL;
	while (!last) {
		if (reader->at >= reader->len)
			return corrupt(reader, "archive ends without a trailer");
		TRY(read_entry(reader, &entry));
		last = strcmp(entry.name, "TRAILER!!!") == 0;
		if (!last) {
			TRY(check_sum(reader, &entry));
			TRY(add_image(reader, &entry));
		}
		reader->at = entry_end(reader, &entry, last);
	}
	return OK;
}

static void skip_zeros(struct reader *reader)
{
	while (reader->at < reader->len && reader->text[reader->at] == '\0')
		reader->at++;
}

enum status ramdisk_open(phys_t base, uint64_t len, struct arena *arena, struct diag *diag,
			 struct image **ret_list)
{
	struct reader reader = {
		.text = phys_to_virt(base),
		.base = base,
		.len = len,
		.arena = arena,
		.diag = diag,
	};

	reader.tail = &reader.first;
	skip_zeros(&reader);
	if (len > 0 && reader.at == len)
		return corrupt(&reader, "nothing but zeros");
	while (reader.at < len) {
		TRY(read_archive(&reader));
		skip_zeros(&reader);
	}
	*ret_list = reader.first;
	return OK;
}
