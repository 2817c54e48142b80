/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ramdisk as a file system of one user: paths are resolved as Linux would, over the
 * list of the archive's entries. Of entries with the same path the last one counts;
 * directories that the archive only implies by its paths are there. Lists are searched
 * from one end to the other: configurations name a handful of files.
 */
#include "hv/backends/image.h"

#include "hv/frame.h"
#include "hv/phys.h"
#include "hv/string.h"

#define PATH_BYTES_MAX 4096
#define LINKS_MAX      40
#define MODE_SEARCH    0100U

/* A path as text; always shorter than PATH_BYTES_MAX and NUL-terminated. */
struct path {
	char text[PATH_BYTES_MAX];
	size_t len;
};

struct walk {
	struct image *list;
	struct path here; /* where we are: "" is the root, else "/a/b" */
	struct path rest; /* what is still to go, from 'at' on */
	size_t at;
	unsigned n_links;
	struct image *image; /* entry of 'here'; NULL for the root and implied directories */
};

static struct image *find_entry(struct image *list, const struct path *path)
{
	struct image *last = NULL;

	for (; list != NULL; list = list->next) {
		if (strcmp(list->path, path->text) == 0)
			last = list;
	}
	return last;
}

/* Whether some entry lies below 'path'. */
static bool is_implied(const struct image *list, const struct path *path)
{
	for (; list != NULL; list = list->next) {
		if (strncmp(list->path, path->text, path->len) == 0 && list->path[path->len] == '/')
			return true;
	}
	return false;
}

static bool path_append(struct path *path, const char *text, size_t len)
{
	if (len >= PATH_BYTES_MAX - path->len)
		return false;
	memcpy(path->text + path->len, text, len);
	path->len += len;
	path->text[path->len] = '\0';
	return true;
}

static void path_truncate(struct path *path, size_t len)
{
	path->len = len;
	path->text[len] = '\0';
}

/* Remove the last component; the root's parent is the root. */
static void path_up(struct path *path)
{
	size_t len = path->len;

	while (len > 0 && path->text[len - 1] != '/')
		len--;
	path_truncate(path, len > 0 ? len - 1 : 0);
}

/* A directory that must be there for the walk to go on from it. */
static enum image_error check_directory(struct walk *walk)
{
	if (walk->image == NULL)
		return IMAGE_OK;
	if (walk->image->type != IMAGE_DIRECTORY)
		return IMAGE_NOT_DIRECTORY;
	return walk->image->mode & MODE_SEARCH ? IMAGE_OK : IMAGE_NO_PERMISSION;
}

/* Put the target of the link, which is in directory 'here', before the rest of the way. */
static enum image_error follow_link(struct walk *walk, const struct image *link)
{
	const char *target = phys_to_virt(link->base);
	size_t n_rest = walk->rest.len - walk->at;

	if (++walk->n_links > LINKS_MAX)
		return IMAGE_LOOP;
	if (link->size == 0 || memchr(target, '\0', link->size) != NULL)
		return IMAGE_NOT_FOUND;
	if (link->size >= PATH_BYTES_MAX - n_rest)
		return IMAGE_NAME_TOO_LONG;
	memmove(walk->rest.text + link->size, walk->rest.text + walk->at, n_rest + 1);
	memcpy(walk->rest.text, target, link->size);
	walk->rest.len = link->size + n_rest;
	walk->at = 0;
	if (target[0] == '/')
		path_truncate(&walk->here, 0);
	walk->image = find_entry(walk->list, &walk->here);
	return IMAGE_OK;
}

/* One component, neither empty nor "." nor "..". */
static enum image_error step_down(struct walk *walk, const char *name, size_t len)
{
	size_t here = walk->here.len;

	if (!path_append(&walk->here, "/", 1) || !path_append(&walk->here, name, len))
		return IMAGE_NAME_TOO_LONG;
	walk->image = find_entry(walk->list, &walk->here);
	if (walk->image == NULL && !is_implied(walk->list, &walk->here))
		return IMAGE_NOT_FOUND;
	if (walk->image != NULL && walk->image->type == IMAGE_SYMLINK) {
		const struct image *link = walk->image;

		path_truncate(&walk->here, here);
		return follow_link(walk, link);
	}
	return IMAGE_OK;
}

static enum image_error step(struct walk *walk, const char *name, size_t len)
{
	if (len == 1 && name[0] == '.')
		return IMAGE_OK;
	if (len != 2 || name[0] != '.' || name[1] != '.')
		return step_down(walk, name, len);
	path_up(&walk->here);
	walk->image = find_entry(walk->list, &walk->here);
	return IMAGE_OK;
}

/* Length of the component at 'text'. */
static size_t component_length(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash != NULL ? (size_t)(slash - text) : strlen(text);
}

/* From the root along the rest. What a slash follows has to be a directory. */
static enum image_error walk_rest(struct walk *walk)
{
	enum image_error error = IMAGE_OK;

	while (error == IMAGE_OK && walk->at < walk->rest.len) {
		const char *name = walk->rest.text + walk->at;
		size_t len = component_length(name);

		walk->at += len > 0 ? len : 1;
		error = len > 0 ? step(walk, name, len) : check_directory(walk);
	}
	return error;
}

static enum image_error lookup(struct image *list, const char *path, size_t len, struct image **ret)
{
	struct walk walk;
	enum image_error error;

	if (len == 0)
		return IMAGE_NOT_FOUND;
	walk.list = list;
	walk.image = NULL;
	walk.at = walk.n_links = 0;
	path_truncate(&walk.here, 0);
	path_truncate(&walk.rest, 0);
	if (!path_append(&walk.rest, path, len))
		return IMAGE_NAME_TOO_LONG;
	error = walk_rest(&walk);
	if (error != IMAGE_OK)
		return error;
	*ret = walk.image != NULL && walk.image->target != NULL ? walk.image->target : walk.image;
	return IMAGE_OK;
}

enum image_error image_lookup(struct image *list, const char *path, struct image **ret)
{
	return lookup(list, path, strlen(path), ret);
}

enum image_error image_lookup_parent(struct image *list, const char *path)
{
	size_t len = strlen(path);
	struct image *parent;

	if (len == 0)
		return IMAGE_NOT_FOUND;
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? lookup(list, path, len, &parent) : IMAGE_OK;
}

const char *image_error_text(enum image_error error)
{
	switch (error) {
	case IMAGE_OK:
		return "Success";
	case IMAGE_NOT_FOUND:
		return "No such file or directory";
	case IMAGE_NOT_DIRECTORY:
		return "Not a directory";
	case IMAGE_LOOP:
		return "Too many levels of symbolic links";
	case IMAGE_NO_PERMISSION:
		return "Permission denied";
	case IMAGE_NAME_TOO_LONG:
		return "File name too long";
	}
	return "Unknown error";
}

struct image *image_find(struct image *list, const char *path)
{
	struct image *image = NULL;

	if (image_lookup(list, path, &image) != IMAGE_OK || image == NULL)
		return NULL;
	return image->type == IMAGE_FILE ? image : NULL;
}

enum status image_align(struct image *image)
{
	uint64_t n_frames = (image->size + PAGE_SIZE - 1) / PAGE_SIZE;
	phys_t frames;
	char *data;

	if (image->aligned)
		return OK;
	if (n_frames == 0)
		return OK;
	frames = frame_alloc_run(n_frames, image->size >= MIB(2) ? MIB(2) : PAGE_SIZE);
	if (frames == 0)
		return ERR_NOMEM;
	data = phys_to_virt(frames);
	memcpy(data, phys_to_virt(image->base), image->size);
	memset(data + image->size, 0, n_frames * PAGE_SIZE - image->size);
	image->base = frames;
	image->aligned = true;
	image->moved = true;
	return OK;
}

/* Prime and rotation carry each bit of a word to all of a lane within a few words. */
#define CHECKSUM_PRIME UINT64_C(0x9e3779b185ebca87)
#define CHECKSUM_LANES 4

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	lane ^= word;
	return (lane << 29 | lane >> 35) * CHECKSUM_PRIME;
}

static inline uint64_t load_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

uint64_t image_checksum(const struct image *image)
{
	const char *p = phys_to_virt(image->base), *end = p + image->size;
	uint64_t a = 1, b = 2, c = 3, d = 4, hash = image->size, last = 0;

	for (; end - p >= 8 * CHECKSUM_LANES; p += 8 * CHECKSUM_LANES) {
		a = mix(a, load_word(p));
		b = mix(b, load_word(p + 8));
		c = mix(c, load_word(p + 16));
		d = mix(d, load_word(p + 24));
	}
	hash = mix(mix(mix(mix(hash, a), b), c), d);
	for (; end - p >= 8; p += 8)
		hash = mix(hash, load_word(p));
	memcpy(&last, p, (size_t)(end - p));
	hash = mix(hash, last);
	return hash ^ hash >> 32;
}
