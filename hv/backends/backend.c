/* SPDX-License-Identifier: BSD-2-Clause */
/* What a VM asks of its backends after its configuration is read. */
#include "hv/backends/backend.h"

#include "hv/frame/phys.h"
#include "hv/lib/string.h"

bool backend_has_reserve(const struct backend *backend)
{
	return backend->kind == MEM_COW && backend->reserve && backend->has_reserve &&
	       !backend->prealloc;
}

struct frame_policy backend_frame_policy(const struct backend *backend)
{
	static const enum frame_mode modes[] = {
		[POLICY_DEFAULT] = FRAME_LOCAL,
		[POLICY_PREFERRED] = FRAME_PREFERRED,
		[POLICY_BIND] = FRAME_BIND,
		[POLICY_INTERLEAVE] = FRAME_INTERLEAVE,
	};

	return (struct frame_policy){
		.mode = modes[backend->policy],
		.nodes = {backend->host_nodes[0], backend->host_nodes[1]},
	};
}

struct image_work backend_discards(const struct backend *backend)
{
	const struct image *image = backend->image;

	if (!backend->discard_data || backend->kind != MEM_SHARED || image == NULL)
		return (struct image_work){0};
	return (struct image_work){
		.to = (char *)phys_to_virt(image->base) + backend->offset + backend->n_discarded,
		.left = backend->size - backend->n_discarded,
	};
}

bool backend_discard_some(struct backend *backend, uint64_t n)
{
	struct image_work work = backend_discards(backend);
	uint64_t left = work.left;
	bool is_more = image_work_some(&work, n);

	backend->n_discarded += left - work.left;
	return is_more;
}
