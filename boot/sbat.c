/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section .sbat, which shim demands of what it starts: the generation of each component, so
 * that a list of revoked generations can refuse old images (SBAT.md of shim). Raise the generation
 * of "stencil" with a release that closes a hole in what Secure Boot promises.
 */
static const char sbat[] __attribute__((used, section(".sbat"))) =
	"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
	"stencil,1,Stencil,stencil,1,see README.md\n";
