/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of models, from Intel's list of affected processors and its specification updates. A
 * row is for a range of steppings of one model of family 6; the first that matches counts.
 */
#include "hv/host/model.h"

#define SKYLAKE	   (MODEL_MMIO | MODEL_RETBLEED | MODEL_GDS)
#define SILVERMONT (MODEL_NO_L1TF | MODEL_NO_MULTIHIT | MODEL_NO_SIBLING_LEAK)
#define GOLDMONT   (MODEL_NO_L1TF | MODEL_NO_MDS | MODEL_NO_MULTIHIT | MODEL_RFDS)
#define TREMONT	   (MODEL_NO_MULTIHIT | MODEL_NO_PBRSB | MODEL_MMIO | MODEL_RFDS)

#define CRYSTAL_24   UINT32_C(24000000)
#define CRYSTAL_25   UINT32_C(25000000)
#define CRYSTAL_19_2 UINT32_C(19200000)
#define CRYSTAL_38_4 UINT32_C(38400000)

struct model {
	uint8_t number, first, last; /* steppings */
	uint32_t traits;
	uint32_t crystal_hz;
	const char *name;
};

static const struct model models[] = {
	{0x25, 0, 15, 0, 0, "Westmere"},
	{0x2c, 0, 15, 0, 0, "Westmere-EP"},
	{0x2f, 0, 15, 0, 0, "Westmere-EX"},
	{0x2a, 0, 15, 0, 0, "Sandy Bridge"},
	{0x2d, 0, 15, 0, 0, "Sandy Bridge server"},
	{0x3a, 0, 15, MODEL_SRBDS, 0, "Ivy Bridge"},
	{0x3e, 0, 15, 0, 0, "Ivy Bridge server"},
	{0x3c, 0, 15, MODEL_SRBDS, 0, "Haswell"},
	{0x45, 0, 15, MODEL_SRBDS, 0, "Haswell mobile"},
	{0x46, 0, 15, MODEL_SRBDS, 0, "Haswell with eDRAM"},
	{0x3f, 0, 15, MODEL_MMIO, 0, "Haswell server"},
	{0x3d, 0, 15, MODEL_SRBDS, 0, "Broadwell"},
	{0x47, 0, 15, MODEL_SRBDS, 0, "Broadwell with eDRAM"},
	{0x4f, 0, 15, MODEL_MMIO, 0, "Broadwell server"},
	{0x56, 0, 15, MODEL_MMIO, 0, "Broadwell-D"},
	{0x4e, 0, 15, SKYLAKE | MODEL_SRBDS, CRYSTAL_24, "Skylake mobile"},
	{0x5e, 0, 15, SKYLAKE | MODEL_SRBDS, CRYSTAL_24, "Skylake"},
	/* Its crystal is 24 or 25 MHz, by product. */
	{0x55, 0, 5, SKYLAKE, 0, "Skylake server"},
	{0x55, 6, 9, SKYLAKE | MODEL_ITS, 0, "Cascade Lake"},
	{0x55, 10, 15, SKYLAKE | MODEL_ITS, 0, "Cooper Lake"},
	{0x8e, 0, 11, SKYLAKE | MODEL_SRBDS, CRYSTAL_24, "Kaby Lake mobile"},
	{0x8e, 12, 15, SKYLAKE | MODEL_SRBDS | MODEL_ITS, CRYSTAL_24, "Whiskey Lake"},
	{0x9e, 0, 12, SKYLAKE | MODEL_SRBDS, CRYSTAL_24, "Kaby Lake"},
	{0x9e, 13, 15, SKYLAKE | MODEL_SRBDS | MODEL_ITS, CRYSTAL_24, "Coffee Lake"},
	{0x66, 0, 15, MODEL_RETBLEED, CRYSTAL_24, "Cannon Lake"},
	{0xa5, 0, 15, SKYLAKE | MODEL_ITS, CRYSTAL_24, "Comet Lake"},
	{0xa6, 0, 0, MODEL_MMIO | MODEL_RETBLEED | MODEL_ITS, CRYSTAL_24, "Comet Lake mobile"},
	{0xa6, 1, 15, SKYLAKE | MODEL_ITS, CRYSTAL_24, "Comet Lake mobile"},
	/* Indirect target selection does not cross VM exits from Ice Lake on. */
	{0x7d, 0, 15, SKYLAKE, CRYSTAL_38_4, "Ice Lake"},
	{0x7e, 0, 15, SKYLAKE, CRYSTAL_38_4, "Ice Lake mobile"},
	{0x6a, 0, 15, MODEL_MMIO | MODEL_GDS, 0, "Ice Lake server"},
	{0x6c, 0, 15, MODEL_MMIO | MODEL_GDS, 0, "Ice Lake-D"},
	{0x8a, 0, 15, MODEL_MMIO | MODEL_RETBLEED, 0, "Lakefield"},
	{0xa7, 0, 15, SKYLAKE, 0, "Rocket Lake"},
	{0x8c, 0, 15, MODEL_GDS, CRYSTAL_38_4, "Tiger Lake mobile"},
	{0x8d, 0, 15, MODEL_GDS, CRYSTAL_38_4, "Tiger Lake"},
	{0x97, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Alder Lake"},
	{0x9a, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Alder Lake mobile"},
	{0xbe, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Alder Lake-N"},
	{0xb7, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Raptor Lake"},
	{0xba, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Raptor Lake mobile"},
	{0xbf, 0, 15, MODEL_RFDS, CRYSTAL_38_4, "Raptor Lake-S"},
	{0x8f, 0, 15, 0, 0, "Sapphire Rapids"},
	{0xcf, 0, 15, 0, 0, "Emerald Rapids"},
	{0xaa, 0, 15, 0, 0, "Meteor Lake"},
	{0xad, 0, 15, 0, 0, "Granite Rapids"},
	{0xae, 0, 15, 0, 0, "Granite Rapids-D"},
	{0xaf, 0, 15, 0, 0, "Sierra Forest"},
	{0xc6, 0, 15, 0, 0, "Arrow Lake"},
	{0xbd, 0, 15, 0, 0, "Lunar Lake"},
	{0x37, 0, 15, SILVERMONT, 0, "Silvermont"},
	{0x4d, 0, 15, SILVERMONT, 0, "Silvermont server"},
	{0x4c, 0, 15, SILVERMONT, 0, "Airmont"},
	{0x57, 0, 15, SILVERMONT, 0, "Knights Landing"},
	{0x5c, 0, 15, GOLDMONT, CRYSTAL_19_2, "Goldmont"},
	{0x5f, 0, 15, GOLDMONT, CRYSTAL_25, "Goldmont server"},
	{0x7a, 0, 15, GOLDMONT | MODEL_NO_PBRSB, CRYSTAL_19_2, "Goldmont Plus"},
	{0x86, 0, 15, TREMONT, 0, "Tremont server"},
	{0x96, 0, 15, TREMONT, 0, "Tremont"},
	{0x9c, 0, 15, TREMONT, 0, "Tremont mobile"},
};

#define STEPPING UINT32_C(0xf)
/* Without the processor's type, and reserved bits. */
#define SIGNATURE_BITS UINT32_C(0x0fff0fff)

static bool is_family_6(uint32_t signature)
{
	return (signature >> 8 & 0xf) == 6 && (signature >> 20 & 0xff) == 0;
}

static unsigned model_number(uint32_t signature)
{
	return (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
}

static const struct model *find(uint32_t signature)
{
	unsigned number = model_number(signature), stepping = signature & STEPPING;

	for (size_t i = 0; is_family_6(signature) && i < ARRAY_SIZE(models); i++)
		if (models[i].number == number && stepping >= models[i].first &&
		    stepping <= models[i].last)
			return &models[i];
	return NULL;
}

uint32_t model_traits(uint32_t signature)
{
	const struct model *model = find(signature);

	return model != NULL ? model->traits : 0;
}

const char *model_name(uint32_t signature)
{
	const struct model *model = find(signature);

	return model != NULL ? model->name : "unknown model";
}

uint32_t model_crystal_hz(uint32_t signature)
{
	const struct model *model = find(signature);

	return model != NULL ? model->crystal_hz : 0;
}

bool model_timer_works(uint32_t signature)
{
	/* Nehalem, Westmere, and one Ivy Bridge. */
	static const uint32_t broken[] = {0x106a0, 0x106a1, 0x106a4, 0x106a5, 0x106e5,
					  0x206e6, 0x20652, 0x20655, 0x306a8};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		if ((signature & SIGNATURE_BITS) == broken[i])
			return false;
	return true;
}

uint32_t model_deadline_microcode(uint32_t signature)
{
	static const struct {
		uint8_t number, first, last;
		uint32_t microcode;
	} rows[] = {
		{0x3c, 0, 15, 0x22},	  {0x45, 0, 15, 0x20},	     {0x46, 0, 15, 0x17},
		{0x3f, 2, 2, 0x3a},	  {0x3f, 4, 4, 0x0f},	     {0x3d, 0, 15, 0x25},
		{0x47, 0, 15, 0x17},	  {0x4f, 0, 15, 0x0b000020}, {0x56, 2, 2, 0x11},
		{0x56, 3, 3, 0x0700000e}, {0x56, 4, 4, 0x0f00000c},  {0x56, 5, 5, 0x0e000003},
		{0x55, 3, 3, 0x01000136}, {0x55, 4, 4, 0x02000014},  {0x4e, 0, 15, 0xb2},
		{0x5e, 0, 15, 0xb2},	  {0x8e, 0, 15, 0x52},	     {0x9e, 0, 15, 0x52},
	};
	unsigned number = model_number(signature), stepping = signature & STEPPING;

	for (size_t i = 0; is_family_6(signature) && i < ARRAY_SIZE(rows); i++)
		if (rows[i].number == number && stepping >= rows[i].first &&
		    stepping <= rows[i].last)
			return rows[i].microcode;
	return 0;
}
