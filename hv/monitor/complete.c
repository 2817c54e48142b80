/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/complete.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

void completion_begin(struct completion *completion, const char *prefix, size_t prefix_len)
{
	*completion = (struct completion){.prefix = prefix, .prefix_len = prefix_len};
}

static void keep_common(struct completion *completion, const char *name)
{
	size_t len = 0;

	while (completion->common[len] != '\0' && completion->common[len] == name[len])
		len++;
	completion->common[len] = '\0';
}

static void add_to_list(struct completion *completion, const char *name)
{
	static const char more[] = " ...";
	size_t len = completion->list_len, size = sizeof(completion->list);

	if (len < size && len + 1 + strlen(name) + sizeof(more) <= size) {
		completion->list_len += format(completion->list + len, size - len, " %s", name);
	} else if (len < size) {
		format(completion->list + len, size - len, "%s", more);
		completion->list_len = size; /* full */
	}
}

void completion_offer(struct completion *completion, const char *name)
{
	if (strncmp(name, completion->prefix, completion->prefix_len) != 0)
		return;
	if (completion->n++ == 0)
		format(completion->common, sizeof(completion->common), "%s", name);
	keep_common(completion, name);
	add_to_list(completion, name);
}

size_t completion_rest(const struct completion *completion, char rest[MONITOR_LINE_SIZE + 1])
{
	if (completion->n == 0)
		return 0;
	return format(rest, MONITOR_LINE_SIZE + 1, "%s%s",
		      completion->common + completion->prefix_len, completion->n == 1 ? " " : "");
}
