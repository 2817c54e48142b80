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
 * An entry of the ramdisk; an image proper has the type IMAGE_FILE. 'base' is at a page boundary if
 * 'aligned' is true, else anywhere.
 *
 * A backend maps only whole pages inside 'size': a file shorter than the mapping is refused, and
 * the mapping is a multiple of the page size. So the bytes after 'size' on the last page are never
 * mapped into a guest. They are zeros if the image was moved; if the image is used in place, they
 * are the next header of the archive and must not be written.
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
	bool grown;	      /* was empty or missing: starts as zeros, in frames of its own */
	bool is_written;      /* a VM may write to it: a backend has it with share=on */
	bool is_guarded;      /* no VM may get it with share=on any more */
	uint64_t checksum;    /* at start, with -checksum on */
	struct image *target; /* the data are this entry's (hard link); NULL: its own */
	uint32_t n_links;     /* c_nlink, c_ino, c_devmajor, c_devminor: tell hard links apart */
	uint32_t inode, device_major, device_minor;
};

/*
 * Bytes that are still to be written before an image may be used: zeros, or a copy of its data that
 * replaces the original at the end. All zeros: none.
 */
struct image_work {
	char *to;
	const char *from;    /* NULL: zeros */
	uint64_t left;	     /* bytes */
	struct image *moves; /* the image that gets the frames at 'base'; NULL: none */
	phys_t base;
};

/*
 * The ramdisk and the files created in it. Not locked: it changes before the first VM runs; later
 * only the monitor appends files.
 */
struct image_list {
	struct image *first;
	struct arena *arena;   /* for new entries */
	struct arena *unnamed; /* for images that are not in the ramdisk; NULL: the same */
	/*
	 * If not NULL, what writes many bytes notes them here instead, for image_work_some(). One
	 * call of those below may do so at a time.
	 */
	struct image_work *later;
};

/* Write up to n bytes. False: all is written, and an image that moves has moved. */
bool image_work_some(struct image_work *work, uint64_t n);

/*
 * Follow 'path' through directories, symbolic links and hard links. Relative paths start at the
 * root. IMAGE_OK: 'ret' is a file, a directory (NULL if the archive only implies it) or a special
 * file.
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
 * Create the file 'path', which image_lookup() did not find, empty and with mode 0644, at the end
 * of the list. Its directory must exist and be writable by its owner. A symbolic link that leads
 * nowhere is refused as IMAGE_NOT_FOUND.
 */
enum image_error image_create(struct image_list *list, const char *path, struct image **ret);
/* Remove a created file and free its frames. */
void image_remove(struct image_list *list, struct image *image);
/* Make an image that is not in the ramdisk, for one backend. NULL: no room. */
struct image *image_create_anonymous(struct image_list *list, uint64_t size,
				     const struct frame_policy *policy);
/* Free the frames of such an image. */
void image_free_anonymous(struct image *image);
/*
 * Make an empty file 'size' bytes (not 0) of zeros, in a run of frames of its own on one of the
 * policy's nodes, aligned as by image_align(). ERR_NOMEM: there is no such run.
 */
enum status image_grow(struct image_list *list, struct image *image, uint64_t size,
		       const struct frame_policy *policy);
/*
 * The same without the zeros, which take long in a large file: the caller writes every byte before
 * it is read.
 */
enum status image_grow_raw(struct image *image, uint64_t size, const struct frame_policy *policy);
/* Give an empty file the run of frames at 'base', whose first 'size' bytes (not 0) it has. */
void image_give(struct image *image, phys_t base, uint64_t size);
/* strerror()'s text. */
const char *image_error_text(enum image_error error);

/*
 * Make the data start at a page boundary, by moving them once to frames of their own; there data of
 * 2 MiB and more start at a multiple of 2 MiB. Data at a page boundary stay. The bytes where the
 * data were before stay, too, for those who read them on another processor. ERR_NOMEM: there is no
 * such run of frames.
 */
enum status image_align(struct image_list *list, struct image *image);
/*
 * The same with byte 'offset' at a multiple of 'align', a power of two from the page size to
 * IMAGE_ALIGN_MAX, and with all data on the policy's nodes. Without a run of frames for that the
 * image stays where it is. Only before the first VM runs.
 */
#define IMAGE_ALIGN_MAX GIB(1)
void image_place(struct image *image, uint64_t offset, uint64_t align,
		 const struct frame_policy *policy);
/* Whether all data are on nodes of the policy, which is any for FRAME_LOCAL. */
bool image_is_on(const struct image *image, const struct frame_policy *policy);

/* A 64-bit checksum of the data: fast, not cryptographic, the same on every machine. */
uint64_t image_checksum(const struct image *image);
