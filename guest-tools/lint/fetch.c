/* SPDX-License-Identifier: BSD-2-Clause */
/* host -fetch, judged by the code that reads it in the EFI file. */
#include "boot/fetch_line.h"
#include "boot/url.h"
#include "guest-tools/lint/lint.h"
#include "hv/lib/string.h"

void lint_check_fetch(const struct config *config, const char *text, size_t len, struct diag *diag)
{
	const char *url = config->host.fetch, *wrong;
	struct url parts;

	if (url == NULL)
		return;
	wrong = url_read(url, strlen(url), &parts);
	if (wrong != NULL)
		diag_error(diag, config->host.fetch_place, "the URL of -fetch %s", wrong);
	else if (fetch_line_find(text, len).url == NULL)
		diag_error(diag, config->host.fetch_place,
			   "-fetch must be written on one line, without quotes: host -fetch URL");
}
