/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of models, from Intel's list of affected processors and its specification updates. A
 * row is for a range of steppings of one model of family 6; the first that matches counts.
 */
#include "hv/host/model.h"

#define CRYSTAL_24   UINT32_C(24000000)
#define CRYSTAL_25   UINT32_C(25000000)
#define CRYSTAL_19_2 UINT32_C(19200000)
#define CRYSTAL_38_4 UINT32_C(38400000)

struct model {
	uint8_t number, first, last; /* steppings */
	uint32_t crystal_hz;
};

static const struct model models[] = {
	{0x4e, 0, 15, CRYSTAL_24},   /* Skylake mobile */
	{0x5e, 0, 15, CRYSTAL_24},   /* Skylake */
	{0x8e, 0, 15, CRYSTAL_24},   /* Kaby Lake mobile */
	{0x9e, 0, 15, CRYSTAL_24},   /* Kaby Lake */
	{0x66, 0, 15, CRYSTAL_24},   /* Cannon Lake */
	{0xa5, 0, 15, CRYSTAL_24},   /* Comet Lake */
	{0xa6, 0, 15, CRYSTAL_24},   /* Comet Lake mobile */
	{0x7d, 0, 15, CRYSTAL_38_4}, /* Ice Lake */
	{0x7e, 0, 15, CRYSTAL_38_4}, /* Ice Lake mobile */
	{0x8c, 0, 15, CRYSTAL_38_4}, /* Tiger Lake mobile */
	{0x8d, 0, 15, CRYSTAL_38_4}, /* Tiger Lake */
	{0x97, 0, 15, CRYSTAL_38_4}, /* Alder Lake */
	{0x9a, 0, 15, CRYSTAL_38_4}, /* Alder Lake mobile */
	{0xbe, 0, 15, CRYSTAL_38_4}, /* Alder Lake-N */
	{0xb7, 0, 15, CRYSTAL_38_4}, /* Raptor Lake */
	{0xba, 0, 15, CRYSTAL_38_4}, /* Raptor Lake mobile */
	{0xbf, 0, 15, CRYSTAL_38_4}, /* Raptor Lake-S */
	{0x5c, 0, 15, CRYSTAL_19_2}, /* Goldmont */
	{0x5f, 0, 15, CRYSTAL_25},   /* Goldmont server */
	{0x7a, 0, 15, CRYSTAL_19_2}, /* Goldmont Plus */
};

#define STEPPING UINT32_C(0xf)

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

uint32_t model_crystal_hz(uint32_t signature)
{
	const struct model *model = find(signature);

	return model != NULL ? model->crystal_hz : 0;
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
