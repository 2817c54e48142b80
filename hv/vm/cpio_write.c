/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/cpio_write.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

#define HEAD_SIZE   110
#define ALIGN	    4
#define BLOCK	    512
#define MODE_FILE   0100644U
#define MODE_FOLDER 0040755U
#define LAST_NAME   "TRAILER!!!"

uint64_t cpio_entry_size(size_t name_len, uint64_t size)
{
	return align_up(HEAD_SIZE + name_len + 1, ALIGN) + align_up(size, ALIGN);
}

static size_t pad(char *to, size_t len, size_t align)
{
	size_t n = align_up(len, align) - len;

	memset(to, 0, n);
	return n;
}

/* Mode and number of links are 0 at the end of the archive. */
static size_t write_head(char *to, const struct cpio_entry *entry, unsigned mode, unsigned n_links)
{
	size_t name_size = strlen(entry->name) + 1, len;

	len = format(to, HEAD_SIZE + 1,
		     "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", entry->inode,
		     mode, 0U, 0U, n_links, 0U, (unsigned)entry->size, 0U, 0U, 0U, 0U,
		     (unsigned)name_size, 0U);
	memcpy(to + len, entry->name, name_size);
	len += name_size;
	return len + pad(to + len, len, ALIGN);
}

size_t cpio_write_head(char *to, const struct cpio_entry *entry)
{
	return write_head(to, entry, entry->is_folder ? MODE_FOLDER : MODE_FILE,
			  entry->is_folder ? 2 : 1);
}

size_t cpio_write_end(char *to, uint64_t size)
{
	return pad(to, size, ALIGN);
}

size_t cpio_write_trailer(char *to, uint64_t size)
{
	size_t len = write_head(to, &(struct cpio_entry){.name = LAST_NAME}, 0, 1);

	return len + pad(to + len, size + len, BLOCK);
}
