# SPDX-License-Identifier: BSD-2-Clause
# The rules of the tree, as tests. "scripts/check tidy" is not among them, because it is slow.
foreach(check format headers includes calls circles start unused picture branches functions
		parameters fields docs limits promises names voice version words spdx licences shell python clang cppcheck
		image)
	add_test(NAME check_${check} COMMAND ${CMAKE_SOURCE_DIR}/scripts/check ${check})
	set_tests_properties(check_${check} PROPERTIES LABELS check TIMEOUT 120
		ENVIRONMENT "STENCIL_BUILD=${CMAKE_BINARY_DIR}")
endforeach()

add_test(NAME check_teeth COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/test_checks.sh)
set_tests_properties(check_teeth PROPERTIES LABELS check TIMEOUT 600
	ENVIRONMENT "STENCIL_BUILD=${CMAKE_BINARY_DIR}")
