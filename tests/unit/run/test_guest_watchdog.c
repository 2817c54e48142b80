/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/run/guest_watchdog.h"

#include <stdio.h>
#include <string.h>

#include "hv/vm/news.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

static union {
	struct vm vm;
	char room[sizeof(struct vm) + sizeof(struct lapic) + sizeof(struct legacy)];
} room;
static struct vm *const vm = &room.vm;
static struct vm_config config;
static struct vcpu vcpu;
static char did[200];

#define note(...) snprintf(did + strlen(did), sizeof(did) - strlen(did), __VA_ARGS__)

static struct news_queue listener;
struct news_queue *news_listener = &listener;

void news_tell(const char *name, enum news_kind kind, const char *text)
{
	assert_int_equal(kind, NEWS_WATCHDOG);
	note("%s: %s; ", name, text);
}

void vm_tell(struct vm *of, enum vm_told what, enum log_level level, const char *fmt, ...)
{
	assert_int_equal(what, VM_TOLD_WATCHDOG);
}

void vm_reset(struct vm *of)
{
	note("reset");
}

bool vm_end(struct vm *of, enum vm_outcome outcome, const char *fmt, ...)
{
	assert_int_equal(outcome, VM_FAILED);
	note("end");
	return true;
}

void vm_pause(struct vm *of, bool on)
{
	assert_true(on);
	note("pause");
}

static int begin(void **state)
{
	static const struct legacy_parts parts = {.watchdog = true};
	const struct cpu_topology topology = {1, {1, 1, 1, 1, 1}};

	memset(&room, 0, sizeof(room));
	did[0] = '\0';
	vm->name = "v";
	vm->config = &config;
	vm->vcpu = &vcpu;
	vcpu.lapic = &vm->platform.irqchip.lapic[0];
	irqchip_reset(&vm->platform.irqchip, &topology, 40);
	vm->platform.extras.has_legacy = true;
	legacy_reset(&vm->platform.irqchip, &parts, 1000);
	return 0;
}

static void the_end_is_told_once(void **state)
{
	config.watchdog_action = WATCHDOG_ACTION_RESET;
	guest_watchdog_look(vm);
	assert_string_equal(did, "");
	platform_legacy(&vm->platform)->watchdog.is_news = true;
	guest_watchdog_look(vm);
	guest_watchdog_look(vm);
	assert_string_equal(did, "v: reset; reset");
}

static void each_action_is_done(void **state)
{
	static const char *const done[] = {"v: reset; reset", "v: shutdown; ",	 "v: poweroff; end",
					   "v: pause; pause", "v: inject-nmi; ", "v: none; "};

	for (unsigned i = 0; i < ARRAY_SIZE(done); i++) {
		begin(NULL);
		config.watchdog_action = (enum watchdog_action)i;
		platform_legacy(&vm->platform)->watchdog.is_news = true;
		guest_watchdog_look(vm);
		assert_string_equal(did, done[i]);
		assert_int_equal(vm->platform.irqchip.ioapic.waiting,
				 i == WATCHDOG_ACTION_SHUTDOWN ? BIT(PM_POWER_BUTTON_GSI) : 0);
		assert_int_equal(vcpu.lapic->nmis_pending, i == WATCHDOG_ACTION_INJECT_NMI);
	}
}

static void a_vm_without_one_has_no_end(void **state)
{
	vm->platform.extras.has_legacy = false;
	platform_legacy(&vm->platform)->watchdog.is_news = true;
	guest_watchdog_look(vm);
	assert_string_equal(did, "");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_end_is_told_once),
		TEST(each_action_is_done),
		TEST(a_vm_without_one_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
