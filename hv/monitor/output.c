/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing here waits for the console: callers that send much check console_waiting(). */
#include "hv/monitor/output.h"

#include "hv/frame/phys.h"
#include "hv/host/console.h"
#include "hv/host/debug_port.h"
#include "hv/host/log.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* Zeros that are written into the ramdisk in some microseconds. */
#define ZEROS_AT_ONCE KIB(64)

static bool uses_debug_port; /* for the files that are sent */

void output_use_debug_port(bool on)
{
	uses_debug_port = on;
}

static enum status fail(const struct output *output, const char *what, const char *text, char *why)
{
	format(why, OUTPUT_WHY_MAX, "failed to %s '%s': %s", what, output->name, text);
	return ERR_INVAL;
}

enum status output_create(struct output *output, struct image_list *images,
			  char why[OUTPUT_WHY_MAX])
{
	struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	struct image *image;
	enum image_error error = image_lookup(images->first, output->name, &image);

	output->at = 0;
	if (error == IMAGE_OK)
		return fail(output, "open", "File exists", why);
	if (error == IMAGE_NOT_FOUND)
		error = image_create(images, output->name, &image);
	if (error != IMAGE_OK)
		return fail(output, "open", image_error_text(error), why);
	output->image = image;
	if (image_grow_raw(image, output->size, &anywhere) == OK)
		return OK;
	output_remove(output, images);
	return fail(output, "write", "not enough memory in this machine", why);
}

void output_remove(struct output *output, struct image_list *images)
{
	image_remove(images, output->image);
	output->image = NULL;
}

static void write_line(const char *text, size_t len)
{
	if (uses_debug_port)
		debug_port_write(text, len);
	else if (len > 0)
		console_write_raw(text, len);
}

void output_begin_sending(struct output *output, struct send_work *work)
{
	char text[SEND_LINE_MAX];

	output->image = NULL;
	output->at = 0;
	write_line(text, send_begin(&output->send, work, output->name, output->size, text));
}

size_t output_take(struct output *output, const void *bytes, size_t len)
{
	char text[SEND_LINE_MAX];
	size_t text_len = 0, taken = len;

	if (output->image)
		memcpy((char *)phys_to_virt(output->image->base) + output->at, bytes, len);
	else
		taken = send_data(&output->send, bytes, len, text, &text_len);
	write_line(text, text_len);
	output->at += taken;
	return taken;
}

void output_take_zeros(struct output *output, uint64_t len)
{
	char text[SEND_LINE_MAX];
	size_t text_len = 0, taken = len < ZEROS_AT_ONCE ? len : ZEROS_AT_ONCE;

	if (output->image)
		memset((char *)phys_to_virt(output->image->base) + output->at, 0, taken);
	else
		taken = send_zeros(&output->send, len, text, &text_len);
	write_line(text, text_len);
	output->at += taken;
}

void output_end(struct output *output)
{
	char text[SEND_LINE_MAX];
	size_t len;

	while (output->image == NULL && (len = send_end(&output->send, text)) > 0)
		write_line(text, len);
	if (output->image == NULL && uses_debug_port)
		log_info("'%s' was sent to the debug port: %lu bytes", output->name, output->size);
}
