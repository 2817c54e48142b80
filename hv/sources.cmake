# The sources of hv/, by room. Every file of a pure room is also built hosted, with
# sanitizers, for the unit tests and fuzzers. Files of the other rooms that contain instructions
# for ring 0 or VMX root only are listed here; the rest of these rooms is pure as well.
set(HV_PURE_ROOMS lib frame ept backends guest net virtio devices loader config)
set(HV_MACHINE_SOURCES
	hv/host/acpi_memory.c
	hv/host/acpi_register.c
	hv/host/apic.c
	hv/host/arrival.c
	hv/host/cpu.c
	hv/host/debug_port.c
	hv/host/facts_read.c
	hv/host/idt.c
	hv/host/machine_check.c
	hv/host/nmi.c
	hv/host/interrupt.c
	hv/host/keyboard.c
	hv/host/known_state_set.c
	hv/host/log.c
	hv/host/paging.c
	hv/host/panic.c
	hv/host/patch.c
	hv/host/pci_config.c
	hv/host/power.c
	hv/host/power_button.c
	hv/host/rendezvous.c
	hv/host/serial.c
	hv/host/smp.c
	hv/host/stop.c
	hv/host/tsc.c
	hv/host/tsc_calibrate.c
	hv/host/tsc_hypervisor.c
	hv/host/tsc_sync.c
	hv/host/tsc_timer.c
	hv/main.c
	hv/processor.c
	hv/run/access.c
	hv/run/debug_exit.c
	hv/run/emulate.c
	hv/run/event.c
	hv/run/exit.c
	hv/run/exit_cr.c
	hv/run/exit_dr.c
	hv/run/exit_ept.c
	hv/run/exit_event.c
	hv/run/exit_io.c
	hv/run/exit_misc.c
	hv/run/exit_msr.c
	hv/run/run.c
	hv/run/step.c
	hv/run/sync.c
	hv/run/virtio.c
	hv/run/wish.c
	hv/vcpu/forget.c
	hv/vcpu/load.c
	hv/vcpu/setup.c
	hv/vcpu/speculation.c
	hv/vcpu/start_state.c
	hv/vcpu/vcpu.c
	hv/vcpu/virtual_apic.c
	hv/vm/audit.c
	hv/vm/build.c
	hv/vm/bury.c
	hv/vm/checksum.c
	hv/vm/hold.c
	hv/vm/life.c
	hv/vm/map.c
	hv/vm/merge_scan.c
	hv/vm/others.c
	hv/vm/output.c
	hv/vm/protect.c
	hv/vm/report.c
	hv/vm/save_queue.c
	hv/vm/serial.c
	hv/vm/template.c
	hv/vm/vm.c
	hv/vm/vm_identity.c
	hv/vm/vm_prealloc.c
	hv/vmx/guard.c
	hv/vmx/vmcs.c
	hv/vmx/vmx.c
)
foreach(source ${HV_MACHINE_SOURCES})
	string(REGEX REPLACE "^hv/([^/]*)/.*" "\\1" room ${source})
	if(room IN_LIST HV_PURE_ROOMS)
		message(FATAL_ERROR "${source}: hv/${room}/ is a pure room")
	endif()
endforeach()

file(GLOB_RECURSE HV_ALL_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.c)
set(HV_PURE_SOURCES ${HV_ALL_SOURCES})
list(REMOVE_ITEM HV_PURE_SOURCES ${HV_MACHINE_SOURCES})
file(GLOB_RECURSE HV_ASM_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.asm)

# Start-only files: not needed once the first VM runs. The code and constants of these files and of
# boot/ lie together in the image, and main.c frees their memory. "scripts/check start" reports
# other files that refer to them.
set(HV_START_SOURCES
	hv/backends/cpio.c
	hv/config/drive_open.c
	hv/config/firmware_files.c
	hv/config/map_read.c
	hv/config/read.c
	hv/config/template_check.c
	hv/config/template_lines.c
	hv/config/vm_bios.c
	hv/config/vm_console.c
	hv/config/vm_device.c
	hv/config/vm_drive.c
	hv/config/vm_files.c
	hv/config/vm_fw_cfg.c
	hv/config/vm_loader.c
	hv/config/vm_machine.c
	hv/config/vm_net.c
	hv/config/vm_numa.c
	hv/config/vm_option_rom.c
	hv/config/vm_options.c
	hv/config/vm_resolve.c
	hv/config/vm_smp.c
	hv/config/vm_virtio.c
	hv/config/vm_vsock.c
	hv/frame/numa_parse.c
	hv/frame/numa_text.c
	hv/host/acpi.c
	hv/host/acpi_memory.c
	hv/host/facts.c
	hv/host/facts_read.c
	hv/host/hest.c
	hv/host/known_state.c
	hv/host/known_state_set.c
	hv/host/low_page.c
	hv/host/model.c
	hv/host/patch.c
	hv/host/pci.c
	hv/host/pci_config.c
	hv/host/pci_quiet.c
	hv/host/processor_name.c
	hv/host/policy.c
	hv/host/serial_find.c
	hv/host/smp.c
	hv/host/tco_find.c
	hv/host/trampoline.asm
	hv/host/tsc_calibrate.c
	hv/host/tsc_hypervisor.c
	hv/host/tsc_leaf.c
	hv/host/tsc_sync.c
	hv/host/tsc_timer.c
	hv/host/watchdog_find.c
	hv/host/wdat_parse.c
	hv/loader/linux_setup.c
	hv/loader/table_loader.c
	hv/vcpu/setup.c
	hv/vmx/guard.c
	hv/vmx/mask.c
	hv/vmx/processors.c
)
set(HV_RUN_SOURCES ${HV_ALL_SOURCES} ${HV_ASM_SOURCES})
foreach(source ${HV_START_SOURCES})
	if(NOT source IN_LIST HV_RUN_SOURCES)
		message(FATAL_ERROR "${source} of HV_START_SOURCES does not exist")
	endif()
endforeach()
list(REMOVE_ITEM HV_RUN_SOURCES ${HV_START_SOURCES})
include(${CMAKE_CURRENT_LIST_DIR}/host/font.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/loader/acpi.cmake)
