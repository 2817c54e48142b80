/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's answers on the console, while there is no monitor: lines that begin with the
 * VM's name, behind one that names the command.
 */
#include "hv/monitor/info_print.h"

#include "hv/lib/print.h"
#include "hv/monitor/info.h"

struct printer {
	const char *name; /* of the VM */
};

static void print_line(void *context, const char *line)
{
	const struct printer *printer = context;

	log_info("%s: %s", printer->name, line);
}

void info_print(const struct vm_config *vm, const struct mem_map *mem,
		const struct device_list *devices, const struct info_config *commands)
{
	struct printer printer = {vm->name};

	for (; commands != NULL; commands = commands->next) {
		log_info("%s: (qemu) %s", vm->name, commands->command);
		if (info_run(vm, mem, devices, commands->command, print_line, &printer) != OK)
			log_error("%s: unknown command: '%s'", vm->name, commands->command);
	}
}
