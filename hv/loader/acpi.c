/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How ACPI tables are written: one after the other into an image, each with a header that
 * acpi_finish_table() completes. x86 and ACPI are both little-endian: structs are copied without
 * conversion.
 */
#include "hv/loader/acpi.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define AML_SCOPE    0x10
#define OEM_TABLE_ID "STENCIL "
#define CREATOR_ID   "STCL"

struct ACPI_PACKED aml_scope {
	uint8_t op;
	uint8_t length[3]; /* counted from here; the name follows */
};

uint8_t acpi_checksum(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *bytes++;
	return (uint8_t)-sum;
}

enum status acpi_append(struct acpi_image *image, const void *data, size_t len)
{
	if (len > image->size - image->used)
		return ERR_RANGE;
	memcpy(image->buf + image->used, data, len);
	image->used += len;
	return OK;
}

enum status acpi_align(struct acpi_image *image)
{
	static const uint8_t zeros[ACPI_TABLE_ALIGN];

	return acpi_append(image, zeros, -image->used % ACPI_TABLE_ALIGN);
}

struct acpi_header acpi_make_header(const char signature[4], uint8_t revision)
{
	struct acpi_header header = {
		.revision = revision, .oem_revision = 1, .creator_revision = 1};

	memcpy(header.signature, signature, sizeof(header.signature));
	memcpy(header.oem_id, ACPI_OEM_ID, sizeof(header.oem_id));
	memcpy(header.oem_table_id, OEM_TABLE_ID, sizeof(header.oem_table_id));
	memcpy(header.creator_id, CREATOR_ID, sizeof(header.creator_id));
	return header;
}

enum status acpi_finish_table(struct acpi_image *image, size_t start, uint64_t *ret_gpa)
{
	struct acpi_header header;

	memcpy(&header, image->buf + start, sizeof(header));
	header.length = (uint32_t)(image->used - start);
	header.checksum = 0;
	memcpy(image->buf + start, &header, sizeof(header));
	header.checksum = acpi_checksum(image->buf + start, image->used - start);
	memcpy(image->buf + start, &header, sizeof(header));
	*ret_gpa = image->gpa + start;
	return acpi_align(image);
}

enum status acpi_list_table(struct acpi_image *image, size_t start)
{
	assert(image->n_tables < ACPI_TABLES_MAX);
	return acpi_finish_table(image, start, &image->tables[image->n_tables++]);
}

enum status acpi_append_scope(struct acpi_image *image, const char *name, size_t name_len,
			      size_t contents_len)
{
	struct aml_scope scope = {.op = AML_SCOPE};
	size_t length = sizeof(scope.length) + name_len + contents_len;

	/* A package length of three bytes: 4 bits, then 8, then 8; the top bits mean "two more". */
	scope.length[0] = 0x80 | (length & 15);
	scope.length[1] = (uint8_t)(length >> 4);
	scope.length[2] = (uint8_t)(length >> 12);
	TRY(acpi_append(image, &scope, sizeof(scope)));
	return acpi_append(image, name, name_len);
}

void acpi_put_digits(char *text, unsigned n_digits, unsigned value)
{
	static const char digits[16] = "0123456789ABCDEF";

	while (n_digits-- > 0) {
		text[n_digits] = digits[value & 15];
		value >>= 4;
	}
}

struct ACPI_PACKED rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct rsdp) == ACPI_RSDP_SIZE, "ACPI 6.0, Root System Description Pointer");

void acpi_make_rsdp(uint64_t gpa, uint8_t ret[ACPI_RSDP_SIZE])
{
	struct rsdp rsdp = {.revision = 2, .length = sizeof(rsdp), .xsdt = gpa + ACPI_XSDT_OFFSET};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, ACPI_OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = acpi_checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.extended_checksum = acpi_checksum(&rsdp, sizeof(rsdp));
	memcpy(ret, &rsdp, sizeof(rsdp));
}
