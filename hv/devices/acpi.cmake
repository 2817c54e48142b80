# hv/devices/dsdt.dsl compiled by iasl into hv/devices/acpi_dsdt.h below the build
# directory: the AML bytes as a C initialiser. Done when CMake configures, and
# again when the source changes, so that every target of every directory finds it.
find_program(IASL iasl REQUIRED)
set(acpi_dsdt_source ${CMAKE_CURRENT_LIST_DIR}/dsdt.dsl)
set(acpi_generated ${CMAKE_BINARY_DIR}/generated)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${acpi_dsdt_source})
file(MAKE_DIRECTORY ${acpi_generated}/hv/devices)
execute_process(COMMAND ${IASL} -we -p ${acpi_generated}/dsdt ${acpi_dsdt_source}
	OUTPUT_VARIABLE acpi_messages ERROR_VARIABLE acpi_messages RESULT_VARIABLE acpi_failed)
if(acpi_failed)
	message(FATAL_ERROR "iasl refuses ${acpi_dsdt_source}:\n${acpi_messages}")
endif()
file(READ ${acpi_generated}/dsdt.aml acpi_aml HEX)
string(REGEX REPLACE "(................)" "\\1\n" acpi_aml ${acpi_aml})
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," acpi_aml ${acpi_aml})
file(CONFIGURE OUTPUT ${acpi_generated}/hv/devices/acpi_dsdt.h @ONLY CONTENT
"/* Made by iasl from hv/devices/dsdt.dsl. */
#pragma once

#include <stdint.h>

static const uint8_t acpi_dsdt[] = {
@acpi_aml@
};
")
include_directories(${acpi_generated})
