/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -cpu: the one processor there is, and which of KVM's features its guest is shown. The names are
 * QEMU's; one that means nothing here is refused, whatever its value.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/lib/string.h"

#define NAME_SIZE 32 /* bytes of a feature's name that are looked at, NUL included */

static const char supported[] = "kvm kvm-pv-eoi kvm-steal-time kvmclock";

/* The others that QEMU has of KVM's. */
static const char other_features[] =
	"kvm-asyncpf kvm-asyncpf-int kvm-asyncpf-vmexit kvm-hint-dedicated kvm-mmu "
	"kvm-msi-ext-dest-id kvm-no-smi-migration kvm-nopiodelay kvm-poll-control kvm-pv-eoi "
	"kvm-pv-enforce-cpuid kvm-pv-ipi kvm-pv-sched-yield kvm-pv-tlb-flush kvm-pv-unhalt "
	"kvmclock-stable-bit";

/* One item after the model: NAME=on, NAME, +NAME or -NAME. */
struct item {
	const struct word *word;
	size_t at, len; /* into the word, without the sign */
	char name[NAME_SIZE];
	char value[8]; /* cut: a longer one is not a boolean */
	size_t value_at;
};

static void copy(char *to, size_t size, const char *from, size_t len)
{
	size_t n = len < size ? len : size - 1;

	memcpy(to, from, n);
	to[n] = '\0';
}

static struct item split(const struct word *word, size_t at, size_t len)
{
	const char *text = word->text + at, *equals = memchr(text, '=', len);
	struct item item = {.word = word, .at = at, .len = len, .value_at = at};

	copy(item.value, sizeof(item.value), "on", 2);
	if (len > 0 && (text[0] == '+' || text[0] == '-')) {
		item.at++;
		if (text[0] == '-')
			copy(item.value, sizeof(item.value), "off", 3);
		copy(item.name, NAME_SIZE, text + 1, len - 1);
		return item;
	}
	if (equals) {
		item.len = (size_t)(equals - text);
		item.value_at = at + item.len + 1;
		copy(item.value, sizeof(item.value), equals + 1, len - item.len - 1);
	}
	copy(item.name, NAME_SIZE, text, item.len);
	return item;
}

static enum status refuse(struct vm_reader *reader, const struct item *item)
{
	struct diag_place place = word_place(item->word, item->at);

	if (is_listed(other_features, item->name))
		diag_error(reader->diag, place, "feature '%s' of -cpu is not supported",
			   item->name);
	else
		diag_error(reader->diag, place, "Property 'host-x86_64-cpu.%s' not found",
			   item->name);
	suggest_from(supported, item->name, reader->diag);
	return ERR_INVAL;
}

static bool *find(struct vm_config *vm, const char *name)
{
	if (strcmp(name, "kvm") == 0)
		return &vm->kvm_is_off;
	if (strcmp(name, "kvmclock") == 0)
		return &vm->kvmclock_is_off;
	if (strcmp(name, "kvm-steal-time") == 0)
		return &vm->steal_time_is_off;
	if (strcmp(name, "kvm-pv-eoi") == 0)
		return &vm->pv_eoi_is_off;
	return NULL;
}

static enum status read_feature(struct vm_reader *reader, const struct item *item)
{
	bool *is_off = find(reader->vm, item->name), is_on;

	if (is_off == NULL)
		return refuse(reader, item);
	if (!parse_bool(item->value, &is_on)) {
		diag_error(reader->diag, word_place(item->word, item->value_at),
			   "Parameter '%s' expects 'on' or 'off'", item->name);
		return ERR_INVAL;
	}
	*is_off = !is_on;
	return OK;
}

/* Where the item at 'at' ends. */
static size_t item_end(const struct word *word, size_t at)
{
	const char *comma = memchr(word->text + at, ',', word->len - at);

	return comma ? (size_t)(comma - word->text) : word->len;
}

enum status vm_read_cpu(struct vm_reader *reader, const struct word *argument)
{
	size_t end = item_end(argument, 0);

	if (!(end == 4 && memcmp(argument->text, "host", 4) == 0) &&
	    !(end == 3 && memcmp(argument->text, "max", 3) == 0)) {
		diag_error(reader->diag, word_place(argument, 0),
			   "CPU model '%.*s' is not supported, only 'host' and 'max'", (int)end,
			   argument->text);
		return ERR_INVAL;
	}
	while (end < argument->len) {
		size_t at = end + 1;
		struct item item;

		end = item_end(argument, at);
		item = split(argument, at, end - at);
		TRY(read_feature(reader, &item));
	}
	return OK;
}
