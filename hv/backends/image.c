/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ramdisk as a file system with one user. Paths are resolved as Linux does, over the list of
 * the archive's entries. Of entries with the same path the last one counts. Directories that only
 * paths imply exist. Lists are searched from end to end, because configurations name a handful of
 * files.
 */
#include "hv/backends/image.h"

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"

#define PATH_BYTES_MAX 4096
#define LINKS_MAX      40
#define NAME_BYTES_MAX 255
#define MODE_SEARCH    0100U
#define MODE_WRITE     0200U
#define MODE_CREATED   0644U

/* A path as text; always shorter than PATH_BYTES_MAX and NUL-terminated. */
struct path {
	char text[PATH_BYTES_MAX];
	size_t len;
};

struct walk {
	struct image *list;
	struct path here; /* the path so far: "" is the root, else "/a/b" */
	struct path rest; /* the rest of the way, from 'at' on */
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

/* Whether an entry lies below 'path'. */
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

/* The walk continues from a directory only. */
static enum image_error check_directory(struct walk *walk)
{
	if (walk->image == NULL)
		return IMAGE_OK;
	if (walk->image->type != IMAGE_DIRECTORY)
		return IMAGE_NOT_DIRECTORY;
	return walk->image->mode & MODE_SEARCH ? IMAGE_OK : IMAGE_NO_PERMISSION;
}

/* Put the target of 'link', which is in the directory 'here', before the rest of the way. */
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

	if (len > NAME_BYTES_MAX)
		return IMAGE_NAME_TOO_LONG;
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

/* Walk from the root along the rest. A component before a slash must be a directory. */
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

/* Walk along the first 'len' bytes of 'path'; 0 bytes lead to the root. */
static enum image_error walk_path(struct walk *walk, struct image *list, const char *path,
				  size_t len)
{
	walk->list = list;
	walk->image = NULL;
	walk->at = walk->n_links = 0;
	path_truncate(&walk->here, 0);
	path_truncate(&walk->rest, 0);
	if (!path_append(&walk->rest, path, len))
		return IMAGE_NAME_TOO_LONG;
	return walk_rest(walk);
}

enum image_error image_lookup(struct image *list, const char *path, struct image **ret)
{
	struct walk walk;
	enum image_error error;

	if (*path == '\0')
		return IMAGE_NOT_FOUND;
	error = walk_path(&walk, list, path, strlen(path));
	if (error != IMAGE_OK)
		return error;
	*ret = walk.image != NULL && walk.image->target != NULL ? walk.image->target : walk.image;
	return IMAGE_OK;
}

/* Walk to the directory in which 'path' is created, and append the new name to 'walk->here'. */
static enum image_error walk_to_new(struct walk *walk, struct image *list, const char *path)
{
	size_t end = strlen(path), start;
	enum image_error error;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	error = walk_path(walk, list, path, start);
	if (error == IMAGE_OK)
		error = check_directory(walk);
	if (error != IMAGE_OK)
		return error;
	if (path[end] == '/')
		return IMAGE_IS_DIRECTORY;
	if (walk->image != NULL && (walk->image->mode & MODE_WRITE) == 0)
		return IMAGE_NO_PERMISSION;
	if (end - start > NAME_BYTES_MAX || !path_append(&walk->here, "/", 1) ||
	    !path_append(&walk->here, path + start, end - start))
		return IMAGE_NAME_TOO_LONG;
	return find_entry(list, &walk->here) == NULL ? IMAGE_OK : IMAGE_NOT_FOUND;
}

enum image_error image_create(struct image_list *list, const char *path, struct image **ret)
{
	struct image *image, **tail = &list->first;
	struct walk walk;
	enum image_error error;

	if (*path == '\0')
		return IMAGE_NOT_FOUND;
	error = walk_to_new(&walk, list->first, path);
	if (error != IMAGE_OK)
		return error;
	image = arena_alloc(list->arena, sizeof(*image));
	if (image == NULL)
		return IMAGE_NO_MEMORY;
	image->path = arena_strndup(list->arena, walk.here.text, walk.here.len);
	if (image->path == NULL)
		return IMAGE_NO_MEMORY;
	image->type = IMAGE_FILE;
	image->mode = MODE_CREATED;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = image;
	*ret = image;
	return IMAGE_OK;
}

bool image_work_some(struct image_work *work, uint64_t n)
{
	n = n < work->left ? n : work->left;
	if (work->from != NULL) {
		memcpy(work->to, work->from, n);
		work->from += n;
		work->to += n;
	} else if (n > 0) {
		memset(work->to, 0, n);
		work->to += n;
	}
	work->left -= n;
	if (work->left > 0)
		return true;
	if (work->moves != NULL) {
		/* Release: who finds the new place finds the bytes there. */
		__atomic_store_n(&work->moves->base, work->base, __ATOMIC_RELEASE);
		work->moves->aligned = work->moves->moved = true;
	}
	*work = (struct image_work){0};
	return false;
}

static uint64_t n_frames_of(uint64_t size)
{
	return size / PAGE_SIZE + (size % PAGE_SIZE != 0);
}

/* Do it now, or note it for later. */
static void do_work(struct image_list *list, struct image_work *work)
{
	if (list->later != NULL)
		*list->later = *work;
	else
		(void)image_work_some(work, UINT64_MAX);
}

void image_remove(struct image_list *list, struct image *image)
{
	struct image **link = &list->first;

	while (*link != image)
		link = &(*link)->next;
	*link = image->next;
	if (image->size > 0)
		frame_free_run(image->base, n_frames_of(image->size));
	image->size = 0;
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
	case IMAGE_IS_DIRECTORY:
		return "Is a directory";
	case IMAGE_NO_MEMORY:
		return "Cannot allocate memory";
	}
	return "Unknown error";
}

/* Data that fill a large page are aligned like one. */
static uint64_t natural_align(uint64_t size)
{
	return size >= MIB(2) ? MIB(2) : PAGE_SIZE;
}

/* Move the data into the frames at 'base'. */
static void move_to(struct image_list *list, struct image *image, phys_t base)
{
	char *data = phys_to_virt(base);
	struct image_work work = {
		.to = data,
		.from = phys_to_virt(image->base),
		.left = image->size,
		.moves = image,
		.base = base,
	};

	memset(data + image->size, 0, n_frames_of(image->size) * PAGE_SIZE - image->size);
	do_work(list, &work);
}

enum status image_align(struct image_list *list, struct image *image)
{
	phys_t frames;

	if (image->aligned || image->size == 0)
		return OK;
	frames = frame_alloc_run(n_frames_of(image->size), natural_align(image->size));
	if (frames == 0)
		return ERR_NOMEM;
	move_to(list, image, frames);
	return OK;
}

bool image_is_on(const struct image *image, const struct frame_policy *policy)
{
	phys_t end = image->base + image->size;

	if (policy->mode == FRAME_LOCAL)
		return true;
	for (phys_t at = image->base; at < end; at = numa_span_end(&numa, at))
		if (!numa_set_has(policy->nodes, numa_node_of(&numa, at)))
			return false;
	return true;
}

void image_place(struct image *image, uint64_t offset, uint64_t align,
		 const struct frame_policy *policy)
{
	struct image_list now = {0};
	phys_t before = image->moved ? image->base : 0;
	uint64_t n_frames = n_frames_of(image->size), n_before;
	phys_t frames;

	if (is_aligned(image->base + offset, align) && image_is_on(image, policy))
		return;
	if (align < natural_align(image->size) && is_aligned(offset, natural_align(image->size)))
		align = natural_align(image->size);
	n_before = -offset % align / PAGE_SIZE;
	frames = frame_alloc_run_by(policy, n_before + n_frames, align);
	if (frames == 0)
		return;
	if (n_before > 0)
		frame_free_run(frames, n_before);
	move_to(&now, image, frames + n_before * PAGE_SIZE);
	if (before != 0)
		frame_free_run(before, n_frames);
}

void image_give(struct image *image, phys_t base, uint64_t size)
{
	memset((char *)phys_to_virt(base) + size, 0, n_frames_of(size) * PAGE_SIZE - size);
	image->base = base;
	image->size = size;
	image->aligned = true;
	image->moved = true;
	image->grown = true;
}

enum status image_grow_raw(struct image *image, uint64_t size, const struct frame_policy *policy)
{
	uint64_t n_frames = n_frames_of(size);
	phys_t frames;

	if (n_frames > frame_total())
		return ERR_NOMEM;
	frames = frame_alloc_run_by(policy, n_frames, natural_align(size));
	if (frames == 0)
		return ERR_NOMEM;
	image_give(image, frames, size);
	return OK;
}

enum status image_grow(struct image_list *list, struct image *image, uint64_t size,
		       const struct frame_policy *policy)
{
	TRY(image_grow_raw(image, size, policy));
	do_work(list, &(struct image_work){.to = phys_to_virt(image->base), .left = size});
	return OK;
}

struct image *image_create_anonymous(struct image_list *list, uint64_t size,
				     const struct frame_policy *policy)
{
	struct arena *arena = list->unnamed != NULL ? list->unnamed : list->arena;
	struct image *image = arena_alloc(arena, sizeof(*image));

	if (image == NULL || image_grow(list, image, size, policy) != OK)
		return NULL;
	image->path = "";
	image->type = IMAGE_FILE;
	image->mode = MODE_CREATED;
	return image;
}

void image_free_anonymous(struct image *image)
{
	frame_free_run(image->base, n_frames_of(image->size));
	image->size = 0;
}

/* The prime and the rotation spread each bit of a word over its lane within a few words. */
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
