# The machine's skin: files that cannot run hosted. Kept short on purpose.
set(HV_MACHINE_SOURCES
	hv/console.c
	hv/cpu.c
	hv/exit.c
	hv/exit_cr.c
	hv/exit_ept.c
	hv/exit_event.c
	hv/exit_io.c
	hv/exit_misc.c
	hv/exit_mmio.c
	hv/exit_msr.c
	hv/guest_console.c
	hv/host_apic.c
	hv/interrupt.c
	hv/main.c
	hv/monitor.c
	hv/monitor_job.c
	hv/output.c
	hv/paging.c
	hv/panic.c
	hv/power.c
	hv/sched.c
	hv/smp.c
	hv/step.c
	hv/template.c
	hv/template_save.c
	hv/tsc.c
	hv/vcpu.c
	hv/vcpu_dump.c
	hv/vcpu_event.c
	hv/vcpu_load.c
	hv/vcpu_state.c
	hv/vcpu_sync.c
	hv/vm.c
	hv/vm_identity.c
	hv/vm_load.c
	hv/vm_merge.c
	hv/vm_prealloc.c
	hv/vm_report.c
	hv/vmx/vmx.c
)
file(GLOB HV_ALL_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.c ${CMAKE_SOURCE_DIR}/hv/vmx/*.c ${CMAKE_SOURCE_DIR}/hv/ept/*.c
	${CMAKE_SOURCE_DIR}/hv/backends/*.c ${CMAKE_SOURCE_DIR}/hv/devices/*.c)
set(HV_PURE_SOURCES ${HV_ALL_SOURCES})
list(REMOVE_ITEM HV_PURE_SOURCES ${HV_MACHINE_SOURCES})
file(GLOB HV_ASM_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.asm ${CMAKE_SOURCE_DIR}/hv/vmx/*.asm)
include(${CMAKE_SOURCE_DIR}/hv/font.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/devices/acpi.cmake)
