/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port through which the guest reports that it has panicked. test_acpi_tables.c compares the
 * number here with hv/devices/pvpanic.h.
 */
DefinitionBlock ("", "SSDT", 2, "STENCL", "PVPANIC ", 1)
{
	Scope (\_SB)
	{
		Device (PEVT)
		{
			Name (_HID, "QEMU0001")
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0505, 0x0505, 0x01, 0x01)
			})
			OperationRegion (PEOR, SystemIO, 0x0505, 0x01)
			Field (PEOR, ByteAcc, NoLock, Preserve)
			{
				PEPT, 8
			}

			Method (RDPT, 0, NotSerialized)
			{
				Return (PEPT)
			}

			Method (WRPT, 1, NotSerialized)
			{
				PEPT = Arg0
			}
		}
	}
}
