# The machine's skin: files that cannot run hosted. Kept short on purpose.
set(HV_MACHINE_SOURCES
	hv/console.c
	hv/cpu.c
	hv/host_apic.c
	hv/interrupt.c
	hv/main.c
	hv/paging.c
	hv/panic.c
	hv/power.c
	hv/smp.c
	hv/tsc.c
)
file(GLOB HV_ALL_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.c ${CMAKE_SOURCE_DIR}/hv/vmx/*.c ${CMAKE_SOURCE_DIR}/hv/ept/*.c
	${CMAKE_SOURCE_DIR}/hv/backends/*.c ${CMAKE_SOURCE_DIR}/hv/devices/*.c)
set(HV_PURE_SOURCES ${HV_ALL_SOURCES})
list(REMOVE_ITEM HV_PURE_SOURCES ${HV_MACHINE_SOURCES})
file(GLOB HV_ASM_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
	${CMAKE_SOURCE_DIR}/hv/*.asm ${CMAKE_SOURCE_DIR}/hv/vmx/*.asm)
include(${CMAKE_SOURCE_DIR}/hv/font.cmake) # HV_FONT_DIR: an include folder for nasm
