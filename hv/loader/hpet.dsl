/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET, which its own table describes, as a device. test_acpi_tables.c compares the numbers here
 * with hv/devices/hpet.h.
 */
DefinitionBlock ("", "SSDT", 2, "STENCL", "HPET    ", 1)
{
	Scope (\_SB)
	{
		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400)
			})
		}
	}
}
