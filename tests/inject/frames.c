/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject frames": the VM "once17" does not get the 17th frame, or run of frames, that it asks
 * for, at its start or later; the VM "from17" gets none from then on, not even for its output. Of
 * the templates "once" and "from", this happens to the clone that is the 17th to be begun. "inject
 * frame 17": what is allocated for no VM fails the 17th time.
 */
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/lib/arena.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/build.h"
#include "hv/vm/life.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"
#include "tests/inject/commands.h"
#include "tests/inject/inject.h"

/* The allocations of a VM of the configuration, or of the newest of its clones. */
struct sweep {
	const struct vm_config *config;
	unsigned n, fails; /* how many there were; the number of the one that fails, 0: none */
	bool once;
};

static struct sweep sweeps[256];
static unsigned n_sweeps;

static struct sweep *busy; /* with the VM that is made, frozen or reverted: no vCPU is loaded */

static struct sweep *find_sweep(const struct vm_config *config)
{
	for (unsigned i = 0; i < n_sweeps; i++)
		if (sweeps[i].config == config)
			return &sweeps[i];
	return NULL;
}

static struct sweep make_sweep(const struct vm_config *config)
{
	struct sweep sweep = {.config = config, .once = strncmp(config->name, "once", 4) == 0};

	if (sweep.once || strncmp(config->name, "from", 4) == 0)
		for (const char *c = config->name + 4; *c != 0; c++)
			sweep.fails = sweep.fails * 10 + (unsigned)(*c - '0');
	return sweep;
}

static bool is_for_output; /* the frame for lines that wait: their number depends on the console */

static bool fails_for(struct sweep *sweep)
{
	if (is_for_output)
		return sweep->fails > 0 && !sweep->once && sweep->n >= sweep->fails;
	sweep->n++;
	if (sweep->fails == 0 || sweep->n < sweep->fails ||
	    (sweep->once && sweep->n > sweep->fails))
		return false;
	if (sweep->n == sweep->fails)
		log_info("inject: VM %s: allocation %u fails", sweep->config->name, sweep->n);
	return true;
}

/* For no VM. */
static bool fails_for_others(void)
{
	static uint64_t n;
	uint64_t number;

	n++;
	if (!inject_asked("frame ", &number) || n != number)
		return false;
	log_info("inject: allocation %lu fails", n);
	return true;
}

/*
 * "inject merges": a quarter of the frames that the search for equal pages asks for, at random: to
 * split a large page takes several, which do not always fail. By processor, because the others ask
 * for work, and leave, while one searches.
 */
static bool merges[CPU_MAX];

static bool fails_for_merge(void)
{
	static bool is_told;

	if (inject_random(4) != 0)
		return false;
	if (!is_told)
		log_info("inject: allocations of the search for equal pages fail");
	is_told = true;
	return true;
}

static bool fails(void)
{
	const struct vcpu *vcpu = this_cpu()->current;
	struct sweep *sweep = vcpu != NULL ? find_sweep(vcpu->vm->config) : busy;

	if (inject_command_is_working())
		return inject_command_fails();
	if (merges[this_cpu()->index])
		return fails_for_merge();
	if (sweep != NULL)
		return fails_for(sweep);
	return vcpu == NULL && fails_for_others();
}

void *__real_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	bool fails = inject_command_is_working() && inject_command_fails();

	return fails ? NULL : __real_arena_alloc(arena, size);
}

char *__real_arena_strndup(struct arena *arena, const char *s, size_t len);
char *__wrap_arena_strndup(struct arena *arena, const char *s, size_t len)
{
	bool fails = inject_command_is_working() && inject_command_fails();

	return fails ? NULL : __real_arena_strndup(arena, s, len);
}

/* Most bits are set: reserved ones, and those of addresses that no machine has. */
static phys_t soil(phys_t frames, uint64_t n)
{
	static bool was_logged;
	uint64_t none;

	if (frames == 0 || !inject_asked("dirty", &none))
		return frames;
	memset(phys_to_virt(frames), 0xfb, n * PAGE_SIZE);
	if (!__atomic_exchange_n(&was_logged, true, __ATOMIC_RELAXED))
		log_info("inject: frames have old contents");
	return frames;
}

phys_t __real_frame_alloc(void);
phys_t __wrap_frame_alloc(void)
{
	return fails() ? 0 : soil(__real_frame_alloc(), 1);
}

phys_t __real_frame_alloc_zeroed(void);
phys_t __wrap_frame_alloc_zeroed(void)
{
	return fails() ? 0 : __real_frame_alloc_zeroed();
}

phys_t __real_frame_alloc_lowest(void);
phys_t __wrap_frame_alloc_lowest(void)
{
	return fails() ? 0 : __real_frame_alloc_lowest();
}

phys_t __real_frame_alloc_by(const struct frame_policy *policy, uint64_t index);
phys_t __wrap_frame_alloc_by(const struct frame_policy *policy, uint64_t index)
{
	return fails() ? 0 : soil(__real_frame_alloc_by(policy, index), 1);
}

phys_t __real_frame_alloc_run(uint64_t n_frames, uint64_t align);
phys_t __wrap_frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	return fails() ? 0 : soil(__real_frame_alloc_run(n_frames, align), n_frames);
}

phys_t __real_frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames,
				 uint64_t align);
phys_t __wrap_frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames,
				 uint64_t align)
{
	return fails() ? 0 : soil(__real_frame_alloc_run_by(policy, n_frames, align), n_frames);
}

phys_t __real_frame_alloc_block_by(const struct frame_policy *policy, uint64_t index);
phys_t __wrap_frame_alloc_block_by(const struct frame_policy *policy, uint64_t index)
{
	return soil(__real_frame_alloc_block_by(policy, index), FRAME_BLOCK);
}

phys_t __real_frame_alloc_vm_run(uint64_t n_frames);
phys_t __wrap_frame_alloc_vm_run(uint64_t n_frames)
{
	return fails() ? 0 : soil(__real_frame_alloc_vm_run(n_frames), n_frames);
}

struct frame_reserve *__real_frame_reserve_make(const struct frame_policy *policy,
						uint64_t n_frames);
struct frame_reserve *__wrap_frame_reserve_make(const struct frame_policy *policy,
						uint64_t n_frames)
{
	return fails() ? NULL : __real_frame_reserve_make(policy, n_frames);
}

void __real_output_queue_put(struct output_turns *turns, struct output_queue *queue,
			     const char *line, size_t len);
void __wrap_output_queue_put(struct output_turns *turns, struct output_queue *queue,
			     const char *line, size_t len)
{
	is_for_output = true;
	__real_output_queue_put(turns, queue, line, len);
	is_for_output = false;
}

bool __real_vm_merge_work(void);
bool __wrap_vm_merge_work(void)
{
	bool *is_mine = &merges[this_cpu()->index], goes_on;
	uint64_t none;

	*is_mine = inject_asked("merges", &none);
	goes_on = __real_vm_merge_work();
	*is_mine = false;
	return goes_on;
}

enum status __real_vm_create(const struct vm_config *config, int64_t unix_time, struct vm **ret);
enum status __wrap_vm_create(const struct vm_config *config, int64_t unix_time, struct vm **ret)
{
	enum status status;
	uint64_t none;

	if (inject_asked("frames", &none) && n_sweeps < ARRAY_SIZE(sweeps)) {
		busy = &sweeps[n_sweeps++];
		*busy = make_sweep(config);
	}
	status = __real_vm_create(config, unix_time, ret);
	busy = NULL;
	return status;
}

static bool is_swept(const struct vm *template)
{
	return strcmp(vm_name(template), "once") == 0 || strcmp(vm_name(template), "from") == 0;
}

/* Until vm_start(), or until nothing was made and another one is begun. */
struct vm *__real_vm_allocate_clone(struct vm *template);
struct vm *__wrap_vm_allocate_clone(struct vm *template)
{
	busy = find_sweep(template->config);
	if (busy != NULL) {
		busy->n = 0;
		busy->fails += is_swept(template);
	}
	return __real_vm_allocate_clone(template);
}

void __real_vm_start(struct vm *vm);
void __wrap_vm_start(struct vm *vm)
{
	busy = NULL;
	inject_writes(vm);
	__real_vm_start(vm);
}

bool __real_template_freeze(struct vm *vm);
bool __wrap_template_freeze(struct vm *vm)
{
	bool is_frozen;

	busy = find_sweep(vm->config);
	inject_command_works(true);
	is_frozen = __real_template_freeze(vm);
	inject_command_works(false);
	busy = NULL;
	return is_frozen;
}

void __real_template_revert(struct vm *clone);
void __wrap_template_revert(struct vm *clone)
{
	busy = find_sweep(clone->config);
	inject_command_works(true);
	__real_template_revert(clone);
	inject_command_works(false);
	busy = NULL;
}

void __real_template_revert_loaded(struct vm *clone);
void __wrap_template_revert_loaded(struct vm *clone)
{
	busy = find_sweep(clone->config);
	inject_command_works(true);
	__real_template_revert_loaded(clone);
	inject_command_works(false);
	busy = NULL;
}
