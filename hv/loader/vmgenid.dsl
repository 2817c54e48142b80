/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generation counter, and the event device that signals its changes: the machine is
 * hardware-reduced and has no general-purpose events. A driver may know the counter by either
 * compatible name. test_acpi_tables.c compares the numbers here with hv/devices/identity.h.
 */
DefinitionBlock ("", "SSDT", 2, "STENCL", "VMGENID ", 1)
{
	Scope (\_SB)
	{
		Device (VGEN)
		{
			/* A method, because iasl requires a Name here to end in a number. */
			Method (_HID, 0, NotSerialized)
			{
				Return ("QEMUVGID")
			}
			Name (_CID, Package () { "VM_Gen_Counter", "VMGENCTR" })
			Name (_DDN, "VM_Gen_Counter")
			Name (ADDR, Package () { 0x000DF000, 0 })
		}

		Device (GED)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 16 }
			})

			Method (_EVT, 1, Serialized)
			{
				If (Arg0 == 16)
				{
					Notify (\_SB.VGEN, 0x80)
				}
			}
		}
	}
}
