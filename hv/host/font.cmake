# SPDX-License-Identifier: BSD-2-Clause
# Unpack the console's font, Spleen in 8x16 from Debian's package fonts-spleen, for hv/host/font.asm
# to include. Its licence is BSD-2-Clause, like that of the EFI file, of which it becomes a part.
set(HV_FONT /usr/share/consolefonts/spleen-8x16.psfu.gz)
set(HV_FONT_DIR ${CMAKE_BINARY_DIR}/font)

if(NOT EXISTS ${HV_FONT})
	message(FATAL_ERROR "${HV_FONT} is missing: install the package fonts-spleen")
endif()
file(MAKE_DIRECTORY ${HV_FONT_DIR})
execute_process(COMMAND gzip -dc ${HV_FONT} OUTPUT_FILE ${HV_FONT_DIR}/font.psf
	COMMAND_ERROR_IS_FATAL ANY)
# PSF version 1: magic, mode, bytes per glyph.
file(READ ${HV_FONT_DIR}/font.psf header LIMIT 4 HEX)
if(NOT header MATCHES "^3604..10$")
	message(FATAL_ERROR "${HV_FONT} is not an 8x16 PSF font")
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/hv/host/font.asm PROPERTIES
	INCLUDE_DIRECTORIES ${HV_FONT_DIR} OBJECT_DEPENDS ${HV_FONT_DIR}/font.psf)
