# Compile hv/loader/NAME.dsl with iasl into hv/loader/acpi_NAME.h below the build
# directory: the AML bytes as the C array acpi_NAME. CMake does this when it configures, and
# again when the source changes, so that every target of every directory finds the header.
find_program(IASL iasl REQUIRED)
set(acpi_generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${acpi_generated}/hv/loader)
# dsdt_no_rtc is dsdt.dsl with NO_RTC.
foreach(acpi_name dsdt dsdt_no_rtc hpet nvdimm pvpanic vmgenid)
	string(REPLACE _no_rtc "" acpi_source ${CMAKE_CURRENT_LIST_DIR}/${acpi_name}.dsl)
	set(acpi_symbols)
	if(acpi_name MATCHES no_rtc)
		set(acpi_symbols -D NO_RTC)
	endif()
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${acpi_source})
	execute_process(COMMAND ${IASL} -we ${acpi_symbols} -p ${acpi_generated}/${acpi_name} ${acpi_source}
		OUTPUT_VARIABLE acpi_messages ERROR_VARIABLE acpi_messages RESULT_VARIABLE acpi_failed)
	if(acpi_failed)
		message(FATAL_ERROR "iasl refuses ${acpi_source}:\n${acpi_messages}")
	endif()
	file(READ ${acpi_generated}/${acpi_name}.aml acpi_aml HEX)
	string(REGEX REPLACE "(................)" "\\1\n" acpi_aml ${acpi_aml})
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," acpi_aml ${acpi_aml})
	file(CONFIGURE OUTPUT ${acpi_generated}/hv/loader/acpi_${acpi_name}.h @ONLY CONTENT
"/* Made by iasl for hv/loader/acpi_tables.c. */
#pragma once

#include <stdint.h>

static const uint8_t acpi_@acpi_name@[] = {
@acpi_aml@
};
")
endforeach()
include_directories(${acpi_generated})
