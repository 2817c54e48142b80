/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills what all vCPUs share, once at start. */
#include "hv/vcpu/setup.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"

enum status vcpu_setup(const struct vmx_capability *capability)
{
	struct vcpu_shared *shared = &vcpu_shared;

	shared->capability = *capability;
	TRY(vmx_controls_choose(capability, &shared->controls));
	shared->preemption_shift = capability->misc & 0x1f;
	shared->io_bitmap = frame_alloc();
	shared->msr_bitmap = frame_alloc();
	if (shared->io_bitmap == 0 || shared->msr_bitmap == 0)
		return ERR_NOMEM;
	memset(phys_to_virt(shared->io_bitmap), 0xff, PAGE_SIZE);
	msr_bitmap_init(phys_to_virt(shared->msr_bitmap), vcpu_has_control2(PROC2_RDTSCP));
	cpuid_model_init(&shared->cpuid, cpuid,
			 &(struct cpuid_options){
				 .tsc_hz = tsc_hz,
				 .has_rdtscp = vcpu_has_control2(PROC2_RDTSCP),
				 .has_invpcid = vcpu_has_control2(PROC2_INVPCID),
			 });
	(void)rdmsr_safe(IA32_BIOS_SIGN_ID, &shared->microcode);
	return OK;
}
