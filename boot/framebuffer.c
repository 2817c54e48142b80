/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the frame buffers that the firmware describes can be drawn on. */
#include "boot/framebuffer.h"

static bool is_usable(const struct boot_framebuffer *fb)
{
	uint64_t len = (uint64_t)fb->pitch * fb->height;

	return fb->base != 0 && fb->base % 4 == 0 && fb->width > 0 && fb->height > 0 &&
	       fb->pitch / 4 >= fb->width && fb->base < FRAMEBUFFER_LIMIT &&
	       len <= FRAMEBUFFER_LIMIT - fb->base;
}

bool framebuffer_add(struct boot_info *info, const struct boot_framebuffer *fb)
{
	if (!is_usable(fb) || info->n_framebuffers == BOOT_FRAMEBUFFERS_MAX)
		return false;
	for (uint32_t i = 0; i < info->n_framebuffers; i++)
		if (info->framebuffer[i].base == fb->base)
			return false;
	info->framebuffer[info->n_framebuffers++] = *fb;
	return true;
}
