/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory or an archive as a ramdisk. Files are mapped privately and writable, so that they can
 * serve as memory. A file that its owner may read and this user may not exists nevertheless, with
 * zeros for its bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "guest-tools/lint/lint.h"
#include "hv/backends/cpio.h"
#include "hv/frame/phys.h"

static bool fail(const char *path, int error)
{
	fprintf(stderr, "stencil lint: %s: %s\n", path, strerror(error));
	return false;
}

/* The alignment of images of that size, so that aligning them for large pages moves nothing. */
static uint64_t alignment(uint64_t size)
{
	if (size >= GIB(1))
		return GIB(1);
	return size >= MIB(2) ? MIB(2) : PAGE_SIZE;
}

/* Reserve 'size' aligned bytes of zeros. The rest of the address space is not freed. */
static char *reserve(uint64_t size)
{
	uint64_t align = alignment(size);
	char *space = mmap(NULL, size + align, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return space != MAP_FAILED ? (char *)align_up((uintptr_t)space, align) : NULL;
}

static bool map_file(struct image *image, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	void *data = reserve(image->size);

	if (data == NULL)
		return fail(path, errno);
	if (file >= 0)
		data = mmap(data, image->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0);
	if (file >= 0)
		close(file);
	else if (errno != EACCES)
		return fail(path, errno);
	if (data == MAP_FAILED)
		return fail(path, errno);
	image->base = virt_to_phys(data);
	image->aligned = true;
	return true;
}

static bool read_link(struct image *image, const char *path, struct arena *arena)
{
	char target[PATH_MAX], *copy;
	ssize_t len = readlink(path, target, sizeof(target));

	if (len < 0)
		return fail(path, errno);
	copy = arena_strndup(arena, target, (size_t)len);
	if (copy == NULL)
		return fail(path, ENOMEM);
	image->size = (uint64_t)len;
	image->base = virt_to_phys(copy);
	return true;
}

static bool fill(struct image *image, const FTSENT *entry, struct arena *arena)
{
	const struct stat *stat = entry->fts_statp;

	image->mode = stat->st_mode & 07777;
	image->size = (uint64_t)stat->st_size;
	switch (stat->st_mode & S_IFMT) {
	case S_IFREG:
		image->type = IMAGE_FILE;
		return image->size == 0 || map_file(image, entry->fts_accpath);
	case S_IFLNK:
		image->type = IMAGE_SYMLINK;
		return read_link(image, entry->fts_accpath, arena);
	case S_IFDIR:
		image->type = IMAGE_DIRECTORY;
		break;
	default:
		image->type = IMAGE_SPECIAL;
	}
	image->size = 0;
	return true;
}

static bool add_entry(const FTSENT *entry, size_t root_length, struct arena *arena,
		      struct image ***tail)
{
	const char *path = entry->fts_path + root_length;
	struct image *image = arena_alloc(arena, sizeof(*image));

	if (image == NULL)
		return fail(entry->fts_path, ENOMEM);
	image->path = arena_strndup(arena, path, strlen(path));
	if (image->path == NULL)
		return fail(entry->fts_path, ENOMEM);
	if (!fill(image, entry, arena))
		return false;
	**tail = image;
	*tail = &image->next;
	return true;
}

/* FTS_DNR is a directory that cannot be read, which came before as FTS_D. */
static bool read_entries(FTS *tree, size_t root_length, struct arena *arena, struct image **tail)
{
	FTSENT *entry;

	errno = 0;
	while ((entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS ||
		    (entry->fts_level == 0 && entry->fts_info == FTS_DNR))
			return fail(entry->fts_path, entry->fts_errno);
		if (entry->fts_level == 0 || entry->fts_info == FTS_DP ||
		    entry->fts_info == FTS_DNR)
			continue;
		if (!add_entry(entry, root_length, arena, &tail))
			return false;
	}
	return errno == 0 || fail("fts_read", errno);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool read_directory(const char *directory, struct arena *arena, struct image_list *ret)
{
	size_t length = strlen(directory);
	char *root = arena_strndup(arena, directory, length);
	char *roots[] = {root, NULL};
	bool done;
	FTS *tree;

	if (root == NULL)
		return fail(directory, ENOMEM);
	while (length > 0 && root[length - 1] == '/') /* names below begin with the slash */
		root[--length] = '\0';
	if (length == 0)
		roots[0] = "/";
	tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	if (tree == NULL)
		return fail(directory, errno);
	*ret = (struct image_list){.arena = arena};
	done = read_entries(tree, length, arena, &ret->first);
	fts_close(tree);
	return done;
}

/* Its files lie at the same offsets as in a machine, where it begins at a multiple of 2 MiB. */
static bool read_archive(const char *path, uint64_t size, struct arena *arena,
			 struct image_list *ret)
{
	struct diag diag = {0};
	struct image archive = {.size = size};

	*ret = (struct image_list){.arena = arena};
	return map_file(&archive, path) &&
	       ramdisk_open(archive.base, size, arena, &diag, &ret->first) == OK;
}

bool lint_read_ramdisk(const char *path, struct arena *arena, struct image_list *ret)
{
	struct stat root;

	if (stat(path, &root) != 0)
		return fail(path, errno);
	if (S_ISDIR(root.st_mode))
		return read_directory(path, arena, ret);
	if (S_ISREG(root.st_mode))
		return read_archive(path, (uint64_t)root.st_size, arena, ret);
	return fail(path, ENOTDIR);
}
