/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_fixed.h"

#include "hv/lib/string.h"
#include "hv/qmp/qmp_vm.h"

enum job_state qmp_device_add(struct qmp_call *call)
{
	if (!qmp_find_config(call))
		return JOB_IS_DONE;
	return qmp_fail(call, "GenericError", "Device '%s' can not be hotplugged on this machine",
			qmp_string(call, "driver"));
}

enum job_state qmp_device_del(struct qmp_call *call)
{
	const char *id = qmp_string(call, "id");
	const struct dimm_config *dimm;

	if (!qmp_find_config(call))
		return JOB_IS_DONE;
	dimm = call->config->dimms;
	while (dimm != NULL && (dimm->id == NULL || strcmp(dimm->id, id) != 0))
		dimm = dimm->next;
	if (dimm == NULL)
		return qmp_fail(call, "DeviceNotFound", "Device '%s' not found", id);
	return qmp_fail(call, "GenericError", "%s device hot unplug is not supported yet.",
			dimm->is_nvdimm ? "nvdimm" : "pc-dimm");
}

/* An object that nothing uses belongs to the VM's line all the same. */
enum job_state qmp_object_del(struct qmp_call *call)
{
	const char *id = qmp_string(call, "id");
	const struct backend *backend;

	if (!qmp_find_config(call))
		return JOB_IS_DONE;
	backend = call->config->backends;
	while (backend != NULL && strcmp(backend->id, id) != 0)
		backend = backend->next;
	return qmp_fail(call, "GenericError",
			backend != NULL ? "object '%s' is in use, can not be deleted"
					: "object '%s' not found",
			id);
}
