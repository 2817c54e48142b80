# The EFI file: boot/ and the hypervisor linked into one position-independent
# image, converted to a PE file that contains its own symbol table. Target stencil.efi.

# Files of boot/ that call no firmware and need no privileged instruction: also
# built hosted, for the unit tests.
set(BOOT_PURE_SOURCES
	boot/calendar.c
	boot/fetch_line.c
	boot/framebuffer.c
	boot/hashes.c
	boot/http_answer.c
	boot/identity_map.c
	boot/iso9660.c
	boot/lzma.c
	boot/memory_map.c
	boot/newc.c
	boot/parcel.c
	boot/pe.c
	boot/ramdisk_parts.c
	boot/sha256.c
	boot/url.c
)
set(BOOT_SOURCES
	${BOOT_PURE_SOURCES}
	boot/archive.c
	boot/config.c
	boot/deliver.c
	boot/disc.c
	boot/entry.asm
	boot/files.c
	boot/firmware.c
	boot/handover.c
	boot/http.c
	boot/levels.asm
	boot/levels.c
	boot/main.c
	boot/measure.c
	boot/net.c
	boot/sbat.c
	boot/send.c
	boot/source.c
	boot/tftp.c
	boot/transfer.c
	boot/trust.c
	boot/unpack.c
	boot/volume.c
)

find_path(GNU_EFI_INCLUDE efi/efi.h REQUIRED)
find_file(GNU_EFI_CRT0 crt0-efi-x86_64.o PATHS /usr/lib REQUIRED)
find_file(GNU_EFI_LIBGNUEFI libgnuefi.a PATHS /usr/lib REQUIRED)
find_file(GNU_EFI_LIBEFI libefi.a PATHS /usr/lib REQUIRED)
enable_language(ASM_NASM)
# GNU binutils, also with clang: only their objcopy makes an EFI file.
foreach(tool ld nm objcopy objdump)
	find_program(GNU_${tool} NAMES x86_64-linux-gnu-${tool} ${tool} REQUIRED)
endforeach()

# Last on the command line, so that they apply in every build type.
set(IMAGE_FLAGS -O2 -g -ffreestanding -fbuiltin -mgeneral-regs-only -mno-red-zone -fpic -fvisibility=hidden
	-fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-common
	-ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -include ${CMAKE_SOURCE_DIR}/boot/hidden.h
	-Wall -Wextra)
if(STENCIL_WERROR)
	list(APPEND IMAGE_FLAGS -Werror)
endif()

set(version_source ${CMAKE_BINARY_DIR}/version.c)
add_custom_target(version BYPRODUCTS ${version_source}
	COMMAND ${CMAKE_SOURCE_DIR}/boot/make-version ${CMAKE_SOURCE_DIR} ${version_source}
	COMMENT "" VERBATIM)

set(run_sources ${HV_RUN_SOURCES})
set(start_sources ${HV_START_SOURCES})
set(boot_sources ${BOOT_SOURCES})
# hv/lib/thunk.asm says why. Tables of jumps would be indirect branches, too.
set(RUN_FLAGS -mindirect-branch=thunk-extern -mindirect-branch-register -fno-jump-tables)
foreach(part run start boot)
	list(TRANSFORM ${part}_sources PREPEND ${CMAKE_SOURCE_DIR}/)
	add_library(image_${part} OBJECT EXCLUDE_FROM_ALL ${${part}_sources})
	target_include_directories(image_${part} PRIVATE ${CMAKE_SOURCE_DIR})
	target_compile_options(image_${part} PRIVATE $<$<COMPILE_LANGUAGE:C>:${IMAGE_FLAGS}>)
endforeach()
target_sources(image_run PRIVATE ${version_source})
add_dependencies(image_run version)
target_compile_options(image_run PRIVATE $<$<COMPILE_LANGUAGE:C>:${RUN_FLAGS}>)
target_include_directories(image_boot SYSTEM PRIVATE ${GNU_EFI_INCLUDE}/efi ${GNU_EFI_INCLUDE}/efi/x86_64)
target_compile_options(image_boot PRIVATE $<$<COMPILE_LANGUAGE:C>:-fshort-wchar>)
target_compile_definitions(image_boot PRIVATE GNU_EFI_USE_MS_ABI)
set(image_objects $<TARGET_OBJECTS:image_boot> $<TARGET_OBJECTS:image_start>
	$<TARGET_OBJECTS:image_run>)

# The exit path needs no frame pointer: a backtrace finds the callers of its handlers without.
set_source_files_properties(hv/run/exit.c PROPERTIES COMPILE_OPTIONS -fomit-frame-pointer)
# Nor does what copies a page, accesses a port or a device's memory, or is on each clone's way. RBP stays its callers',
# so that a backtrace continues behind it.
set_source_files_properties(hv/ept/ept.c hv/frame/frame.c hv/run/access.c hv/run/emulate.c hv/run/exit_ept.c
	hv/run/exit_io.c hv/run/recent.c hv/vcpu/forget.c hv/vcpu/load.c hv/vcpu/sched.c hv/vcpu/vcpu.c
	hv/vm/clone_line.c hv/vm/life.c hv/vm/template.c hv/vmx/vmx.c
	PROPERTIES COMPILE_OPTIONS "-fomit-frame-pointer;-ffixed-rbp")

# What is for people or for files, or looks at the machine once, is small rather than fast; so is what 32 frames share the
# cost of.
set(small_boot_sources ${BOOT_SOURCES})
list(FILTER small_boot_sources EXCLUDE REGEX "\\.asm$|(sha256|parcel|memory_map|identity_map|lzma)\\.c$")
file(GLOB operator_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/hv/monitor/*.c ${CMAKE_SOURCE_DIR}/hv/qmp/*.c
	${CMAKE_SOURCE_DIR}/hv/gdb/*.c)
file(GLOB config_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/hv/config/*.c ${CMAKE_SOURCE_DIR}/hv/loader/*.c)
file(GLOB state_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/hv/vm/state*.c)
set(machine_start_sources ${HV_START_SOURCES})
list(FILTER machine_start_sources INCLUDE REGEX "^hv/(frame|host|vmx)/.*\\.c$")
set_source_files_properties(${small_boot_sources} ${operator_sources} ${config_sources} ${state_sources} ${machine_start_sources} hv/ept/audit.c
	hv/frame/free_map.c hv/host/mce_text.c hv/host/panic.c hv/host/policy_text.c hv/host/symbols.c hv/lib/state_file.c hv/vm/audit.c
	hv/vm/report.c PROPERTIES COMPILE_OPTIONS -Os)

set(link_script ${CMAKE_SOURCE_DIR}/boot/efi.lds)
set(link_image ${GNU_ld} -nostdlib -shared -Bsymbolic -T ${link_script} --build-id=none
	--hash-style=sysv --no-undefined --fatal-warnings -z text -z norelro -z noexecstack
	-z nocombreloc ${GNU_EFI_CRT0} ${image_objects})
set(link_libraries ${GNU_EFI_LIBGNUEFI} ${GNU_EFI_LIBEFI})
set(make_symbols ${CMAKE_SOURCE_DIR}/boot/make-symbols)
set(pack ${CMAKE_SOURCE_DIR}/boot/pack)
set(check_image ${CMAKE_SOURCE_DIR}/boot/check-image)
set(image_sections)
foreach(section init initro reloc sbat dynamic rela start startro text rodata relro data bss symbols)
	list(APPEND image_sections -j .${section})
endforeach()

# link_with_symbols(NAME OBJECTS OPTIONS...): make NAME.elf of the image's objects and OBJECTS, with more
# options of the linker. Linked twice: first to learn the addresses of the code, then with the table of these
# addresses after everything else, so that nothing moves.
function(link_with_symbols name objects)
	add_custom_command(OUTPUT ${name}-1.elf
		COMMAND ${make_symbols} ${GNU_nm} > ${name}-0.s
		COMMAND ${CMAKE_C_COMPILER} -c ${name}-0.s -o ${name}-0.o
		COMMAND ${link_image} ${ARGN} ${objects} ${name}-0.o ${link_libraries} -o ${name}-1.elf
		DEPENDS ${image_objects} ${objects} ${link_script} ${make_symbols}
		COMMENT "Linking ${name}-1.elf" VERBATIM COMMAND_EXPAND_LISTS)
	add_custom_command(OUTPUT ${name}.elf
		COMMAND ${make_symbols} ${GNU_nm} ${name}-1.elf > ${name}-1.s
		COMMAND ${CMAKE_C_COMPILER} -c ${name}-1.s -o ${name}-1.o
		COMMAND ${link_image} ${ARGN} ${objects} ${name}-1.o ${link_libraries} -o ${name}.elf
		COMMAND ${make_symbols} ${GNU_nm} ${name}.elf > ${name}-2.s
		COMMAND ${CMAKE_COMMAND} -E compare_files ${name}-1.s ${name}-2.s
		DEPENDS ${name}-1.elf
		COMMENT "Linking ${name}.elf with its symbols" VERBATIM COMMAND_EXPAND_LISTS)
endfunction()

# make_efi(FILE NAME): make and check the EFI file FILE of NAME.elf.
function(make_efi file name)
	add_custom_command(OUTPUT ${file}
		COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=0 ${GNU_objcopy} --strip-all ${image_sections}
			--target efi-app-x86_64 ${name}.elf ${name}.pe
		COMMAND ${pack} ${name}.pe ${file}
		COMMAND ${check_image} ${GNU_nm} ${GNU_objdump} ${GNU_objcopy} ${name}.elf ${file}
		DEPENDS ${name}.elf ${pack} ${check_image}
		COMMENT "Making ${file}" VERBATIM)
endfunction()

link_with_symbols(stencil "")
make_efi(BOOTX64.EFI stencil)
add_custom_target(stencil.efi ALL DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/BOOTX64.EFI)
