/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For WP: for all size=, offset= and align=, what check_map() accepts ends
 * below 2^63, and the sizes of the files made from it do not wrap.
 */
#include "tests/prove/numbers.h"

#include "hv/backends/backend.h"

/*@ ensures \result == ERR_INVAL; assigns \nothing; */
static enum status fail_map(struct backend *backend, const char *reason, struct diag *diag);

/* No machine has more than 2^52 bytes. */
/*@ ensures \result <= 0x10000000000; assigns \nothing; */
uint64_t frame_total(void);

/*@ requires \valid_read(backend) && (image == \null || \valid_read(image));
    ensures \result == OK ==> backend->offset + backend->size <= 0x7fffffffffffffff &&
		backend->align <= 0x400000000000;
    assigns \nothing; */
static enum status check_map(struct backend *backend, const struct image *image, struct diag *diag);

/*@ assigns \nothing; */
enum status image_grow(struct image_list *list, struct image *image, uint64_t size,
		       const struct frame_policy *policy);

/*@ assigns \nothing; */
struct frame_policy backend_frame_policy(const struct backend *backend);

struct opened;

/*@ requires \valid_read(backend);
    requires backend->offset + backend->size <= 0x7fffffffffffffff; */
static enum status grow_file(struct backend *backend, struct diag *diag, struct opened *opened);

/*@ requires \valid_read(backend);
    requires backend->offset + backend->size <= 0x7fffffffffffffff; */
static enum status make_unnamed(struct backend *backend, struct diag *diag, struct opened *opened);

#include "hv/backends/backend_open.c"
