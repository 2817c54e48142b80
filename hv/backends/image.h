/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/frame.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

enum image_type {
	IMAGE_FILE,
	IMAGE_DIRECTORY,
	IMAGE_SYMLINK, /* the data are the path it points to */
	IMAGE_SPECIAL, /* device, FIFO or socket */
};

/*
 * One entry of the ramdisk; an image proper is one of type IMAGE_FILE. 'base' lies at
 * a page boundary once 'aligned' is true; before that anywhere.
 *
 * A backend maps whole pages that lie entirely inside 'size': a file that is
 * shorter than what is to be mapped is refused, and what is mapped is a multiple of the
 * page size. So the bytes behind 'size' on the last page are never mapped into a
 * guest. They are zeros if the image was moved; if it is used in place they belong to
 * the next header of the archive, and no one may write them.
 */
struct image {
	struct image *next; /* in the order of the archive, then of their creation */
	const char *path;   /* as in the archive, with one leading '/', no "." and no "//" */
	enum image_type type;
	uint32_t mode; /* permission bits of the archive */
	phys_t base;
	uint64_t size; /* bytes */
	bool aligned;
	bool moved;	      /* into frames of its own, by image_align() */
	bool grown;	      /* was empty or not there: begins as zeros, in frames of its own */
	uint64_t checksum;    /* at the start, where -checksum asks for it */
	struct image *target; /* the data are this entry's (hard link); NULL: its own */
	uint32_t n_links;     /* c_nlink, c_ino, c_devmajor, c_devminor: tell hard links apart */
	uint32_t inode, device_major, device_minor;
};

/* The ramdisk and what is created in it. Not locked: it changes before the first VM runs;
 * later only the monitor adds files, at its end. */
struct image_list {
	struct image *first;
	struct arena *arena; /* for new entries */
};

/*
 * Follow 'path' through directories and symbolic links, hard links resolved. Relative
 * paths start at the root. OK: 'ret' is a file, a directory (NULL if the archive
 * only implies it) or a special file. Else, as in 'enum image_error', why not.
 */
enum image_error {
	IMAGE_OK,
	IMAGE_NOT_FOUND,     /* "No such file or directory" */
	IMAGE_NOT_DIRECTORY, /* a component before the last is a file */
	IMAGE_LOOP,	     /* more than 40 symbolic links */
	IMAGE_NO_PERMISSION, /* a directory on the way without search permission */
	IMAGE_NAME_TOO_LONG, /* 4096 bytes and more, or a component of more than 255 */
	IMAGE_IS_DIRECTORY,
	IMAGE_NO_MEMORY,
};
enum image_error image_lookup(struct image *list, const char *path, struct image **ret);
/*
 * Make the file 'path', which image_lookup() has not found, empty and of mode 0644, at the end
 * of the list. The directory it goes into must be there and writable by its owner; a symbolic
 * link that leads nowhere is not followed but refused, as IMAGE_NOT_FOUND.
 */
enum image_error image_create(struct image_list *list, const char *path, struct image **ret);
/* Take such a file away again, and give back its frames. */
void image_remove(struct image_list *list, struct image *image);
/* Memory that has no name in the ramdisk, for one backend or all that share it. NULL: no room. */
struct image *image_create_anonymous(struct image_list *list, uint64_t size,
				     const struct frame_policy *policy);
/*
 * An empty file becomes 'size' bytes (not 0) of zeros, in a run of frames of its own on one of the
 * policy's nodes that starts as image_align() says; ERR_NOMEM: no such run.
 */
enum status image_grow(struct image *image, uint64_t size, const struct frame_policy *policy);
/* strerror()'s text. */
const char *image_error_text(enum image_error error);

/*
 * Make the data start at a page boundary, at 2 MiB for data of that size, by moving
 * them once to frames of their own; nothing to do if they start at a page boundary
 * already. Not locked: only before the first VM runs. ERR_NOMEM: no such run of frames.
 */
enum status image_align(struct image *image);
/*
 * The same with byte 'offset' at a multiple of 'align', a power of two from the page size
 * to IMAGE_ALIGN_MAX, if there is a run of frames for that; else the image stays as it is.
 */
#define IMAGE_ALIGN_MAX GIB(1)
void image_align_window(struct image *image, uint64_t offset, uint64_t align);

/* 64 bits over the data, fast, not cryptographic. Equal for equal data on any machine. */
uint64_t image_checksum(const struct image *image);
