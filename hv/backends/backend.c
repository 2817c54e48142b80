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

void backend_discard(const struct backend *backend)
{
	const struct image *image = backend->image;

	if (!backend->discard_data || backend->kind != MEM_SHARED || image == NULL)
		return;
	memset((char *)phys_to_virt(image->base) + backend->offset, 0, backend->size);
}
