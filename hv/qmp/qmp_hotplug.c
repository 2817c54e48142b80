/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_hotplug.h"

#include "hv/monitor/hotplug_job.h"
#include "hv/qmp/qmp_line.h"

/* The arguments as they were written. */
static const char *source(const struct qmp_call *call, size_t *ret_len)
{
	if (call->arguments == NULL) {
		*ret_len = 2;
		return "{}";
	}
	*ret_len = call->arguments->len;
	return call->text + call->arguments->at;
}

/* "vm" is a string, if it is there. */
static bool check_vm(struct qmp_call *call)
{
	const struct json *vm = qmp_argument(call, "vm");

	if (vm == NULL || vm->type == JSON_STRING)
		return true;
	(void)qmp_fail_type(call, "vm", "string");
	return false;
}

static bool begin_object_add(struct qmp_call *call, struct vm *vm)
{
	size_t len;
	const char *text = source(call, &len);

	hotplug_job_object_add(vm, text, len);
	return true;
}

enum job_state qmp_object_add(struct qmp_call *call)
{
	return check_vm(call) ? qmp_run_job(call, begin_object_add) : JOB_IS_DONE;
}

static bool begin_object_del(struct qmp_call *call, struct vm *vm)
{
	hotplug_job_object_del(vm, qmp_string(call, "id"));
	return true;
}

enum job_state qmp_object_del(struct qmp_call *call)
{
	return qmp_run_job(call, begin_object_del);
}

static bool begin_device_add(struct qmp_call *call, struct vm *vm)
{
	size_t len;
	const char *text = source(call, &len);

	hotplug_job_device_add(vm, text, len);
	return true;
}

enum job_state qmp_device_add(struct qmp_call *call)
{
	return check_vm(call) ? qmp_run_job(call, begin_device_add) : JOB_IS_DONE;
}

static bool begin_device_del(struct qmp_call *call, struct vm *vm)
{
	hotplug_device_del(vm, qmp_string(call, "id"));
	return true;
}

enum job_state qmp_device_del(struct qmp_call *call)
{
	return qmp_run_job(call, begin_device_del);
}
