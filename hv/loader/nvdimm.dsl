/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NVDIMM root device and the method that its children share: NCAL is the _DSM of NVDIMM
 * Arg4. acpi_memory.c writes an SSDT with the children, one for each NVDIMM. The functions are
 * those of the "NVDIMM DSM Interface Example" that concern labels; they use the registers of
 * hv/devices/nvdimm.h. test_acpi_tables.c compares the numbers here with that header.
 */
DefinitionBlock ("", "SSDT", 2, "STENCL", "NVDIMM  ", 1)
{
	Scope (\_SB)
	{
		Device (NVDR)
		{
			Name (_HID, "ACPI0012")

			OperationRegion (LREG, SystemMemory, 0xFEF00000, 0x2000)
			Field (LREG, DWordAcc, NoLock, Preserve)
			{
				HNDL, 32,
				LSIZ, 32,
				LMAX, 32,
				LOFF, 32,
				LLEN, 32,
				LCMD, 32
			}
			Field (LREG, QWordAcc, NoLock, Preserve)
			{
				Offset (0x1000),
				LWIN, 32768
			}

			Name (NONE, Buffer (1) { 0 })			/* no functions */
			Name (NSUP, Buffer (4) { 1, 0, 0, 0 })	/* not supported */
			Name (INVA, Buffer (4) { 3, 0, 0, 0 })	/* invalid input */

			/* The root itself has no functions. */
			Method (_DSM, 4, NotSerialized)
			{
				If (Arg2 == 0)
				{
					Return (NONE)
				}
				Return (NSUP)
			}

			Method (NCAL, 5, Serialized)
			{
				HNDL = Arg4
				If ((Arg0 != ToUUID ("4309AC30-0D11-11E4-9191-0800200C9A66")) ||
				    (Arg1 != 1) || (LSIZ == 0))
				{
					If (Arg2 == 0)
					{
						Return (NONE)
					}
					Return (NSUP)
				}
				Switch (ToInteger (Arg2))
				{
					Case (0)
					{
						Return (Buffer (1) { 0x71 })
					}
					Case (4)
					{
						Return (GSIZ ())
					}
					Case (Package () { 5, 6 })
					{
						Return (MOVE (Arg2, DerefOf (Arg3 [0])))
					}
				}
				Return (NSUP)
			}

			/* Size of the labels, and of the longest transfer. */
			Method (GSIZ, 0, Serialized)
			{
				Local0 = Buffer (12) {}
				CreateDWordField (Local0, 4, SIZE)
				CreateDWordField (Local0, 8, LONG)
				SIZE = LSIZ
				LONG = LMAX
				Return (Local0)
			}

			/* Arg0: 5 reads, 6 writes. Arg1: offset and length, followed by the data for a write. */
			Method (MOVE, 2, Serialized)
			{
				If (SizeOf (Arg1) < 8)
				{
					Return (INVA)
				}
				CreateDWordField (Arg1, 0, OFFS)
				CreateDWordField (Arg1, 4, LENG)
				If ((Arg0 == 6) && (LENG != 0))
				{
					If ((LENG > LMAX) || (LENG > SizeOf (Arg1) - 8))
					{
						Return (INVA)
					}
					LWIN = Mid (Arg1, 8, LENG)
				}
				LOFF = OFFS
				LLEN = LENG
				LCMD = Arg0
				Local0 = Buffer (4) {}
				CreateDWordField (Local0, 0, STAT)
				STAT = LCMD
				If ((Arg0 == 5) && (STAT == 0) && (LENG != 0))
				{
					Return (Concatenate (Local0, Mid (LWIN, 0, LENG)))
				}
				Return (Local0)
			}
		}
	}
}
