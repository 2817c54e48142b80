/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What a VM-instruction error says, SDM vol. 3, "VM Instruction Error Numbers". A static string;
 * "unknown" for other numbers.
 */
const char *vmx_instruction_error(unsigned number);
