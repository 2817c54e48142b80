/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices that are always present: serial port, fw_cfg, power off and the power button, whose
 * event device has one event: that it was pressed. The clock is there except with NO_RTC: this file
 * becomes two tables. acpi_tables.c adds the virtio devices, and writes an SSDT with the
 * processors. There is no PCI root and no 8042.
 * test_acpi_tables.c compares the numbers here with the devices' headers.
 */
DefinitionBlock ("", "DSDT", 2, "STENCL", "STENCIL ", 1)
{
	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 0x00, 0x08)
				IRQ (Edge, ActiveHigh, Exclusive) { 4 }
			})
		}

#ifndef NO_RTC
		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 0x00, 0x02)
			})
		}
#endif

		Device (FWCF)
		{
			Name (_HID, "QEMU0002")
			Name (_STA, 0x0B)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0510, 0x0510, 0x01, 0x0C)
			})
		}

		Device (PWRB)
		{
			Name (_HID, EisaId ("PNP0C0C"))
			Name (_UID, 0)
		}

		Device (GEDP)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 9 }
			})

			Method (_EVT, 1, Serialized)
			{
				If (Arg0 == 9)
				{
					Notify (PWRB, 0x80)
				}
			}
		}
	}

	Name (\_S5, Package () { 5, 0, 0, 0 })
}
