/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the decoder with Zydis, and the executor with the processor that runs the test. Both
 * references were written by others from the same manual.
 */
#define _GNU_SOURCE
#include "hv/devices/insn_decode.h"
#include "hv/devices/insn_execute.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <Zydis/Zydis.h>

#include "tests/unit/support.h"

#define RFLAGS_ARITHMETIC 0x8d5
#define RFLAGS_DF	  0x400
#define RFLAGS_CF	  0x001
#define RFLAGS_PF	  0x004
#define RFLAGS_AF	  0x010
#define RFLAGS_ZF	  0x040
#define RFLAGS_SF	  0x080
#define RFLAGS_OF	  0x800

static unsigned n_random =
	120000; /* cases of each kind, without a system; or as the argument says */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1d;
}

/* Often a value near the interesting ones: few bits, many bits, signs. */
static uint64_t random_value(void)
{
	static const uint64_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff};
	uint64_t v = random_u64();

	switch (random_u64() % 6) {
	case 0:
		return edges[v % ARRAY_SIZE(edges)];
	case 1:
		return -edges[v % ARRAY_SIZE(edges)];
	case 2:
		return v & 0x80000000ffffffff;
	case 3:
		return (v & 0xff) << (v >> 58);
	default:
		return v;
	}
}

static const char *hex(const uint8_t *bytes, size_t n)
{
	static char text[3 * 16 + 1];

	for (size_t i = 0; i < n && i < 16; i++)
		snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
	return text;
}

/* ---- Decoding: compare with Zydis ---- */

static enum insn_op op_of_mnemonic(const ZydisDecodedInstruction *z)
{
	bool is_string = z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;

	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
		return INSN_ADD;
	case ZYDIS_MNEMONIC_OR:
		return INSN_OR;
	case ZYDIS_MNEMONIC_ADC:
		return INSN_ADC;
	case ZYDIS_MNEMONIC_SBB:
		return INSN_SBB;
	case ZYDIS_MNEMONIC_AND:
		return INSN_AND;
	case ZYDIS_MNEMONIC_SUB:
		return INSN_SUB;
	case ZYDIS_MNEMONIC_XOR:
		return INSN_XOR;
	case ZYDIS_MNEMONIC_CMP:
		return INSN_CMP;
	case ZYDIS_MNEMONIC_ROL:
		return INSN_ROL;
	case ZYDIS_MNEMONIC_ROR:
		return INSN_ROR;
	case ZYDIS_MNEMONIC_RCL:
		return INSN_RCL;
	case ZYDIS_MNEMONIC_RCR:
		return INSN_RCR;
	case ZYDIS_MNEMONIC_SHL:
		return INSN_SHL;
	case ZYDIS_MNEMONIC_SHR:
		return INSN_SHR;
	case ZYDIS_MNEMONIC_SAR:
		return INSN_SAR;
	case ZYDIS_MNEMONIC_SHLD:
		return INSN_SHLD;
	case ZYDIS_MNEMONIC_SHRD:
		return INSN_SHRD;
	case ZYDIS_MNEMONIC_TEST:
		return INSN_TEST;
	case ZYDIS_MNEMONIC_NOT:
		return INSN_NOT;
	case ZYDIS_MNEMONIC_NEG:
		return INSN_NEG;
	case ZYDIS_MNEMONIC_INC:
		return INSN_INC;
	case ZYDIS_MNEMONIC_DEC:
		return INSN_DEC;
	case ZYDIS_MNEMONIC_BT:
		return INSN_BT;
	case ZYDIS_MNEMONIC_BTS:
		return INSN_BTS;
	case ZYDIS_MNEMONIC_BTR:
		return INSN_BTR;
	case ZYDIS_MNEMONIC_BTC:
		return INSN_BTC;
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVNTI:
	case ZYDIS_MNEMONIC_MOVDIRI:
		return INSN_MOV;
	case ZYDIS_MNEMONIC_MOVBE:
		return INSN_MOVBE;
	case ZYDIS_MNEMONIC_MOVZX:
		return INSN_MOVZX;
	case ZYDIS_MNEMONIC_MOVSX:
	case ZYDIS_MNEMONIC_MOVSXD:
		return INSN_MOVSX;
	case ZYDIS_MNEMONIC_XCHG:
		return INSN_XCHG;
	case ZYDIS_MNEMONIC_XADD:
		return INSN_XADD;
	case ZYDIS_MNEMONIC_CMPXCHG:
		return INSN_CMPXCHG;
	case ZYDIS_MNEMONIC_CMPXCHG8B:
		return INSN_CMPXCHG8B;
	case ZYDIS_MNEMONIC_PUSH:
		return INSN_PUSH;
	case ZYDIS_MNEMONIC_POP:
		return INSN_POP;
	case ZYDIS_MNEMONIC_MOVSB:
	case ZYDIS_MNEMONIC_MOVSW:
	case ZYDIS_MNEMONIC_MOVSD:
	case ZYDIS_MNEMONIC_MOVSQ:
		return is_string ? INSN_MOVS : INSN_NONE;
	case ZYDIS_MNEMONIC_CMPSB:
	case ZYDIS_MNEMONIC_CMPSW:
	case ZYDIS_MNEMONIC_CMPSD:
	case ZYDIS_MNEMONIC_CMPSQ:
		return is_string ? INSN_CMPS : INSN_NONE;
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
		return INSN_STOS;
	case ZYDIS_MNEMONIC_LODSB:
	case ZYDIS_MNEMONIC_LODSW:
	case ZYDIS_MNEMONIC_LODSD:
	case ZYDIS_MNEMONIC_LODSQ:
		return INSN_LODS;
	case ZYDIS_MNEMONIC_SCASB:
	case ZYDIS_MNEMONIC_SCASW:
	case ZYDIS_MNEMONIC_SCASD:
	case ZYDIS_MNEMONIC_SCASQ:
		return INSN_SCAS;
	default:
		if (z->meta.category == ZYDIS_CATEGORY_CMOV)
			return INSN_CMOV;
		return z->meta.category == ZYDIS_CATEGORY_SETCC ? INSN_SETCC : INSN_NONE;
	}
}

struct zydis_view {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *memory[3]; /* explicit operands first */
	size_t n_memory;
	enum insn_op op; /* INSN_NONE: must be refused */
};

static bool is_segment_register(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       ZydisRegisterGetClass(operand->reg.value) == ZYDIS_REGCLASS_SEGMENT &&
	       operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
}

static void collect_memory(struct zydis_view *view)
{
	bool is_explicit = false, has_segment = false;

	view->n_memory = 0;
	for (size_t i = 0; i < view->insn.operand_count; i++) {
		const ZydisDecodedOperand *operand = &view->operands[i];

		has_segment |= is_segment_register(operand);
		if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    operand->mem.type != ZYDIS_MEMOP_TYPE_MEM)
			continue;
		is_explicit |= operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
		if (view->n_memory < ARRAY_SIZE(view->memory))
			view->memory[view->n_memory++] = operand;
	}
	bool is_string = view->op >= INSN_MOVS;

	if ((!is_explicit && !is_string) || has_segment)
		view->op = INSN_NONE;
}

static bool zydis_decode(const ZydisDecoder *decoder, const uint8_t *bytes, size_t n,
			 struct zydis_view *view)
{
	view->op = INSN_NONE;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, bytes, n, &view->insn, view->operands)))
		return false;
	if (view->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	view->op = op_of_mnemonic(&view->insn);
	collect_memory(view);
	return true;
}

/* The bytes being compared, and an assertion that prints them. */
static const uint8_t *current;

#define EXPECT(ours, theirs) expect(#ours, (uint64_t)(ours), (uint64_t)(theirs))

static void expect(const char *what, uint64_t ours, uint64_t theirs)
{
	if (ours != theirs)
		fail_msg("%s: %s is 0x%lx, Zydis says 0x%lx", hex(current, 15), what,
			 (unsigned long)ours, (unsigned long)theirs);
}

static uint8_t register_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return INSN_NO_REG;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return INSN_REG_RIP;
	return (uint8_t)ZydisRegisterGetId(reg);
}

/*
 * A SIB byte with base 5 and mod 0 has a displacement and no base, whatever REX.B is. Zydis 4.0
 * decodes R13D if addresses have 32 bits. rex_b_does_not_bring_back_the_base() asks the processor.
 */
static bool zydis_takes_it_for_r13d(const struct zydis_view *view)
{
	return view->insn.raw.modrm.mod == 0 && view->insn.raw.modrm.rm == 4 &&
	       view->insn.raw.sib.base == 5 && view->insn.address_width == 32 &&
	       (view->insn.attributes & ZYDIS_ATTRIB_HAS_REX) != 0 && view->insn.raw.rex.B == 1;
}

static void expect_address(const struct insn *insn, const struct zydis_view *view,
			   const ZydisDecodedOperand *memory)
{
	uint64_t displacement = memory->mem.disp.has_displacement ? memory->mem.disp.value : 0;
	uint64_t mask = insn->address_size == 8 ? UINT64_MAX : BIT(8 * insn->address_size) - 1;

	if (zydis_takes_it_for_r13d(view)) {
		EXPECT(insn->base, INSN_NO_REG);
		EXPECT(insn->displacement, view->insn.raw.disp.value);
	} else {
		EXPECT(insn->base, register_number(memory->mem.base));
		EXPECT(insn->displacement & mask, displacement & mask);
	}
	EXPECT(insn->index, register_number(memory->mem.index));
	if (insn->index != INSN_NO_REG && insn->address_size != 2)
		EXPECT(insn->scale, memory->mem.scale);
	EXPECT(insn->segment, memory->mem.segment - ZYDIS_REGISTER_ES);
}

/*
 * SDM vol. 2, MOVSXD: with a 16-bit operand size the instruction reads 16 bits. Zydis has AMD's 32,
 * of which the upper half is not used.
 */
static unsigned memory_size(const struct zydis_view *view, const ZydisDecodedOperand *memory)
{
	bool is_short =
		view->insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD && view->insn.operand_width == 16;

	return is_short ? 2 : memory->size / 8;
}

/* Compare the accesses of both as sets: Zydis has another order. */
static void expect_accesses(const struct insn *insn, const struct zydis_view *view)
{
	struct insn_access accesses[2];
	struct insn_regs regs = {.gpr = (uint64_t[16]){[RCX] = 1}};
	size_t n = insn_accesses(insn, &regs, accesses);
	unsigned matched = 0;

	EXPECT(n, view->n_memory);
	for (size_t i = 0; i < n; i++) {
		const ZydisDecodedOperand *memory = view->memory[i];
		bool reads = (memory->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
		bool writes = (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;

		for (size_t k = 0; k < n; k++) {
			if (accesses[k].reads == reads && accesses[k].writes == writes &&
			    accesses[k].size == memory_size(view, memory) &&
			    accesses[k].segment == memory->mem.segment - ZYDIS_REGISTER_ES &&
			    (matched & 1u << k) == 0) {
				matched |= 1u << k;
				break;
			}
		}
	}
	EXPECT(matched, (1u << n) - 1);
}

static const ZydisDecodedOperand *explicit_register(const struct zydis_view *view)
{
	for (size_t i = 0; i < view->insn.operand_count; i++)
		if (view->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    view->operands[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			return &view->operands[i];
	return NULL;
}

static void expect_register(const struct insn *insn, const struct zydis_view *view)
{
	if (insn->form != INSN_FORM_MEM_REG && insn->form != INSN_FORM_REG_MEM &&
	    insn->form != INSN_FORM_MEM_REG_IMM && insn->form != INSN_FORM_MEM_REG_CL)
		return;
	ZydisRegister reg = explicit_register(view)->reg.value;
	bool is_high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
	uint8_t number = (uint8_t)ZydisRegisterGetId(reg);

	if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR8) /* AL..BL, AH..BH, SPL.. */
		number = is_high ? (uint8_t)(reg - ZYDIS_REGISTER_AH)
				 : (uint8_t)(reg - ZYDIS_REGISTER_AL -
					     (reg > ZYDIS_REGISTER_BH ? 4 : 0));
	EXPECT(insn->reg_high, is_high);
	EXPECT(insn->reg, number);
	EXPECT(insn->operand_size, ZydisRegisterGetWidth(view->insn.machine_mode, reg) / 8);
}

static void expect_immediate(const struct insn *insn, const struct zydis_view *view)
{
	if (insn->form != INSN_FORM_MEM_IMM && insn->form != INSN_FORM_MEM_REG_IMM)
		return;
	for (size_t i = 0; i < view->insn.operand_count; i++) {
		const ZydisDecodedOperand *operand = &view->operands[i];
		uint64_t mask =
			insn->operand_size == 8 ? UINT64_MAX : BIT(8 * insn->operand_size) - 1;

		if (operand->type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
			continue;
		if (operand->size == 8)
			mask = 0xff;
		EXPECT(insn->imm & mask, operand->imm.value.u & mask);
	}
}

static void expect_prefixes(const struct insn *insn, const struct zydis_view *view)
{
	static const ZydisInstructionAttributes rep =
		ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;

	EXPECT(insn->lock, (view->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0);
	EXPECT(insn->address_size, view->insn.address_width / 8);
	if (insn->form != INSN_FORM_STRING)
		return;
	if (insn->op == INSN_SCAS || insn->op == INSN_CMPS)
		EXPECT(insn->repeat == INSN_REPNE,
		       (view->insn.attributes & ZYDIS_ATTRIB_HAS_REPNE) != 0);
	/*
	 * REPNE in front of the other string instructions works as REP; Zydis does not report it.
	 */
	if (insn->repeat != INSN_REPNE)
		EXPECT(insn->repeat != INSN_ONCE, (view->insn.attributes & rep) != 0);
}

static uint64_t n_accepted, n_refused;
static uint64_t n_accepted_by_op[INSN_SCAS + 1];

static void compare_decoders(const ZydisDecoder *decoder, enum insn_mode mode, const uint8_t *bytes,
			     size_t n)
{
	struct zydis_view view;
	struct insn insn;

	zydis_decode(decoder, bytes, n, &view);
	enum status status = insn_decode(bytes, n, mode, &insn);

	if ((status == OK) != (view.op != INSN_NONE))
		fail_msg("mode %d, bytes %s: status %d, Zydis %d (%s)", mode, hex(bytes, n), status,
			 view.op, view.op ? ZydisMnemonicGetString(view.insn.mnemonic) : "-");
	if (status != OK) {
		n_refused++;
		return;
	}
	n_accepted++;
	n_accepted_by_op[insn.op]++;
	if (insn.op != view.op || insn.length != view.insn.length)
		fail_msg("mode %d, bytes %s: op %d length %d, Zydis %d %d", mode, hex(bytes, n),
			 insn.op, insn.length, view.op, view.insn.length);
	current = bytes;
	expect_prefixes(&insn, &view);
	expect_accesses(&insn, &view);
	expect_register(&insn, &view);
	expect_immediate(&insn, &view);
	if (insn.form != INSN_FORM_STRING)
		expect_address(&insn, &view, view.memory[0]);
	/* One byte less is not an instruction, and bytes after the instruction do not matter. */
	assert_int_equal(insn_decode(bytes, insn.length - 1u, mode, &insn), ERR_RANGE);
}

static ZydisDecoder decoders[3];

static void init_decoders(void)
{
	ZydisDecoderInit(&decoders[INSN_16], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&decoders[INSN_32], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&decoders[INSN_64], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

static const uint8_t prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36,
				   0x3e, 0x64, 0x65, 0x40, 0x48, 0x44, 0x4f, 0x41};

/* Compare the head, followed by random bytes, in one mode. */
static void compare_head(enum insn_mode mode, const uint8_t *head, size_t n_head)
{
	uint8_t bytes[16];
	uint64_t tail[2] = {random_u64(), random_u64()};

	memcpy(bytes, tail, sizeof(bytes));
	if (n_head > 0)
		memcpy(bytes, head, n_head);
	compare_decoders(&decoders[mode], mode, bytes, 15);
}

/* Compare one opcode after an escape, without a prefix or with one of them. */
static void compare_opcode(enum insn_mode mode, size_t prefix, const uint8_t *escape,
			   size_t n_escape, unsigned opcode_and_modrm)
{
	uint8_t head[8];
	size_t n = 0;

	if (prefix < ARRAY_SIZE(prefixes))
		head[n++] = prefixes[prefix];
	for (size_t i = 0; i < n_escape; i++)
		head[n++] = escape[i];
	head[n++] = (uint8_t)(opcode_and_modrm >> 8);
	head[n++] = (uint8_t)opcode_and_modrm;
	compare_head(mode, head, n);
}

/* Every opcode of a map with every ModRM byte, and with every prefix and some combinations. */
static void opcodes_agree_with_zydis(const uint8_t *escape, size_t n_escape)
{
	for (unsigned mode = INSN_16; mode <= INSN_64; mode++) {
		for (unsigned i = 0; i < 0x10000; i++) {
			compare_opcode(mode, ARRAY_SIZE(prefixes), escape, n_escape, i);
			compare_opcode(mode, i % ARRAY_SIZE(prefixes), escape, n_escape,
				       i ^ (unsigned)(random_u64() & 0xf0));
		}
	}
}

static void all_one_byte_opcodes_agree_with_zydis(void **state)
{
	opcodes_agree_with_zydis(NULL, 0);
}

static void all_two_byte_opcodes_agree_with_zydis(void **state)
{
	opcodes_agree_with_zydis((const uint8_t[]){0x0f}, 1);
}

static void all_three_byte_opcodes_agree_with_zydis(void **state)
{
	opcodes_agree_with_zydis((const uint8_t[]){0x0f, 0x38}, 2);
	opcodes_agree_with_zydis((const uint8_t[]){0x0f, 0x3a}, 2);
}

/* Opcodes that are in the set in some form, so that random instructions often are. */
static const uint8_t good_1[] = {
	0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1a,
	0x1b, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29, 0x2a, 0x2b, 0x30, 0x31, 0x32, 0x33, 0x38, 0x39,
	0x3a, 0x3b, 0x63, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b,
	0x8f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
	0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff,
};
static const uint8_t good_0f[] = {
	0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d,
	0x4e, 0x4f, 0xa4, 0xa5, 0xac, 0xad, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
	0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xb6,
	0xb7, 0xba, 0xbb, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7, 0xf0, 0xf1, /* the last two
									     after 0F 38 */
};

/* Up to 'max_prefixes' prefixes and an opcode of the set, followed by random bytes. */
static void random_instruction(uint8_t bytes[16], unsigned max_prefixes)
{
	uint64_t tail[2] = {random_u64(), random_u64()};
	size_t n = 0, n_prefixes = random_u64() % (max_prefixes + 1);

	memcpy(bytes, tail, 16);
	while (n < n_prefixes)
		bytes[n++] = prefixes[random_u64() % ARRAY_SIZE(prefixes)];
	unsigned pick = random_u64() % (ARRAY_SIZE(good_1) + ARRAY_SIZE(good_0f));

	if (pick < ARRAY_SIZE(good_1)) {
		bytes[n] = good_1[pick];
		return;
	}
	uint8_t opcode = good_0f[pick - ARRAY_SIZE(good_1)];

	bytes[n++] = 0x0f;

	if (opcode >= 0xf0)
		bytes[n++] = 0x38;
	bytes[n] = opcode;
}

static void random_instructions_agree_with_zydis(void **state)
{
	for (unsigned i = 0; i < n_random; i++) {
		enum insn_mode mode = (enum insn_mode)(i % 3);
		uint8_t bytes[16];

		random_instruction(bytes, i % 16 == 0 ? 13 : 4);
		compare_decoders(&decoders[mode], mode, bytes, 15);
	}
}

static void random_bytes_agree_with_zydis(void **state)
{
	for (unsigned i = 0; i < n_random; i++)
		compare_head((enum insn_mode)(i % 3), (const uint8_t[]){0x0f}, i & 1);
}

/* The comparison is only worth as much as it compared. */
static void every_operation_was_compared(void **state)
{
	for (unsigned op = INSN_ADD; op <= INSN_SCAS; op++)
		assert_true(n_accepted_by_op[op] > n_random / 2000);
	assert_true(n_refused > 1000000);
	assert_true(n_accepted > n_random / 2);
}

/* ---- Decoding: the statuses ---- */

static void refusals_say_why(void **state)
{
	static const struct {
		uint8_t n, bytes[16];
		enum status status[3]; /* by mode */
	} cases[] = {
		{0, {0}, {ERR_RANGE, ERR_RANGE, ERR_RANGE}},
		{1, {0x8b}, {ERR_RANGE, ERR_RANGE, ERR_RANGE}},
		{2, {0x8b, 0x07}, {OK, OK, OK}},
		{2, {0x8b, 0xc7}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, ERR_UNSUPPORTED}},
		{1, {0x90}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, ERR_UNSUPPORTED}},
		{2, {0x0f, 0x0b}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, ERR_UNSUPPORTED}},
		{3, {0xf0, 0x8b, 0x07}, {ERR_INVAL, ERR_INVAL, ERR_INVAL}},
		{3, {0xf0, 0x01, 0x07}, {OK, OK, OK}},
		{3, {0xf0, 0x39, 0x07}, {ERR_INVAL, ERR_INVAL, ERR_INVAL}},
		{2, {0xf0, 0xa4}, {ERR_INVAL, ERR_INVAL, ERR_INVAL}},
		{3, {0x82, 0x07, 0x01}, {OK, OK, ERR_UNSUPPORTED}},
		{2, {0x63, 0x07}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, OK}},
		{4, {0x48, 0x0f, 0xc7, 0x0f}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, ERR_UNSUPPORTED}},
		{3, {0x0f, 0xc7, 0x0f}, {OK, OK, OK}},
		{3, {0xff, 0x37, 0}, {OK, OK, OK}},
		{2, {0xff, 0x17}, {ERR_UNSUPPORTED, ERR_UNSUPPORTED, ERR_UNSUPPORTED}},
		{15,
		 {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		  0x8b, 0x07},
		 {OK, OK, OK}},
		{16,
		 {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		  0x66, 0x8b, 0x07},
		 {ERR_INVAL, ERR_INVAL, ERR_INVAL}},
		{16,
		 {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		  0x66, 0x66, 0x66},
		 {ERR_INVAL, ERR_INVAL, ERR_INVAL}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned mode = INSN_16; mode <= INSN_64; mode++) {
			struct insn insn;
			/* In 64-bit mode byte 48 is a prefix, otherwise it is DEC. */
			enum status status = insn_decode(cases[i].bytes, cases[i].n, mode, &insn);

			if (status != cases[i].status[mode])
				fail_msg("case %zu, mode %u: %d", i, mode, status);
		}
	}
}

/* ---- Execution: compare with the processor ---- */

/* All of this lies below 2 GiB, so that absolute addresses reach it. */
struct harness {
	uint8_t code[PAGE_SIZE];
	uint8_t buffer[2 * PAGE_SIZE];
	uint64_t in[16], out[16];
	uint64_t rflags_in, rflags_out;
	uint64_t saved_rsp;
};

static struct harness *harness;

static void map_harness(void)
{
	harness = mmap(NULL, sizeof(*harness), PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (harness == MAP_FAILED)
		skip();
}

static uint8_t *emit(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

/* REX.W opcode /reg [absolute]. */
static uint8_t *emit_absolute(uint8_t *p, uint8_t opcode, unsigned reg, const void *address)
{
	const uint8_t head[] = {0x48 | (reg >= 8 ? 4 : 0), opcode, 0x04 | (reg & 7) << 3, 0x25};
	uint32_t low = (uint32_t)(uintptr_t)address;

	p = emit(p, head, sizeof(head));
	return emit(p, &low, sizeof(low));
}

#define LOAD  0x8b
#define STORE 0x89

/* Run one instruction on the processor, with all sixteen registers of 'in'. */
static void run_on_processor(const uint8_t *bytes, size_t n)
{
	static const uint8_t save[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};
	static const uint8_t restore[] = {0xfc, 0x41, 0x5f, 0x41, 0x5e, 0x41,
					  0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3};
	static const uint8_t popfq = 0x9d, pushfq = 0x9c;
	uint8_t *p = emit(harness->code, save, sizeof(save));

	p = emit_absolute(p, STORE, RSP, &harness->saved_rsp);
	p = emit_absolute(p, 0xff, 6, &harness->rflags_in); /* push */
	p = emit(p, &popfq, 1);
	for (unsigned reg = 0; reg < 16; reg++)
		p = emit_absolute(p, LOAD, reg, &harness->in[reg]);
	p = emit(p, bytes, n);
	for (unsigned reg = 0; reg < 16; reg++)
		p = emit_absolute(p, STORE, reg, &harness->out[reg]);
	p = emit_absolute(p, LOAD, RSP, &harness->saved_rsp);
	p = emit(p, &pushfq, 1);
	p = emit_absolute(p, 0x8f, 0, &harness->rflags_out); /* pop */
	emit(p, restore, sizeof(restore));
	__builtin___clear_cache((char *)harness->code, (char *)harness->code + PAGE_SIZE);
	((void (*)(void))(uintptr_t)harness->code)();
}

static bool is_shift(enum insn_op op)
{
	return op >= INSN_ROL && op <= INSN_SAR;
}

static unsigned shift_count(const struct insn *insn, uint64_t rcx)
{
	bool is_cl = insn->form == INSN_FORM_MEM_CL || insn->form == INSN_FORM_MEM_REG_CL;
	uint64_t amount = is_cl ? rcx : insn->imm;

	return amount & (insn->operand_size == 8 ? 63 : 31);
}

/* Flags that the SDM leaves undefined, and that do differ between processors. */
static uint64_t undefined_flags(const struct insn *insn, uint64_t rcx)
{
	unsigned count = shift_count(insn, rcx);

	if (is_shift(insn->op)) {
		uint64_t flags = count > 1 ? RFLAGS_OF : 0;

		if (insn->op >= INSN_SHL && count > 0)
			flags |= RFLAGS_AF;
		if ((insn->op == INSN_SHL || insn->op == INSN_SHR) &&
		    count >= 8u * insn->operand_size)
			flags |= RFLAGS_CF;
		return flags;
	}
	switch (insn->op) {
	case INSN_AND:
	case INSN_OR:
	case INSN_XOR:
	case INSN_TEST:
		return RFLAGS_AF;
	case INSN_SHLD:
	case INSN_SHRD:
		return count == 0 ? 0 : RFLAGS_AF | (count > 1 ? RFLAGS_OF : 0);
	case INSN_BT:
	case INSN_BTS:
	case INSN_BTR:
	case INSN_BTC:
		return RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF;
	default:
		return 0;
	}
}

static bool has_undefined_result(const struct insn *insn, uint64_t rcx)
{
	return (insn->op == INSN_SHLD || insn->op == INSN_SHRD) &&
	       shift_count(insn, rcx) > 8u * insn->operand_size;
}

#define MIDDLE PAGE_SIZE /* of the buffer */

/* Set the registers so that the operand lies in the buffer; false if that is not possible. */
static bool aim(const struct insn *insn, struct insn_regs *regs)
{
	uint64_t middle = (uintptr_t)harness->buffer + MIDDLE;
	bool has_base = insn->base < 16;

	for (unsigned reg = 0; reg < 16; reg++)
		regs->gpr[reg] = random_value();
	regs->gpr[RSP] = middle + 512;
	regs->rflags = 0x202 | (random_u64() & (RFLAGS_ARITHMETIC | RFLAGS_DF));
	regs->rip = 0x1000;
	if (insn->form == INSN_FORM_STRING) {
		regs->gpr[RSI] = middle + random_u64() % 64;
		regs->gpr[RDI] = middle + random_u64() % 64;
		if (insn->repeat != INSN_ONCE)
			regs->gpr[RCX] = random_u64() % 12;
		return true;
	}
	if (!has_base || insn->base == insn->index)
		return false;
	if (insn->op >= INSN_BT && insn->op <= INSN_BTC && insn->form == INSN_FORM_MEM_REG) {
		uint64_t wild =
			regs->gpr[insn->reg] & ~(UINT64_MAX >> (64 - 8 * insn->operand_size));

		regs->gpr[insn->reg] = (insn->operand_size == 8 ? 0 : wild) |
				       ((random_u64() % 4096 - 2048) &
					(UINT64_MAX >> (64 - 8 * insn->operand_size)));
		if (insn->reg == insn->base || insn->reg == insn->index)
			return false;
	}
	uint64_t sum = insn->displacement;

	if (insn->index < 16)
		sum += regs->gpr[insn->index] * insn->scale;
	regs->gpr[insn->base] = middle - sum;
	if (insn->op == INSN_POP && insn->base == RSP)
		regs->gpr[RSP] -= insn->operand_size;
	/* The stack must lie in the buffer, too. */
	return insn->base != RSP || sum + 2048 < 4096;
}

static uint8_t model[2 * PAGE_SIZE];

/* The place of an access in the model; the test fails if the access is elsewhere. */
static uint8_t *model_at(const struct insn_access *access)
{
	uint64_t at = access->offset - (uintptr_t)harness->buffer;

	if (at > sizeof(model) - 8)
		fail_msg("access at 0x%lx, buffer at %p", (unsigned long)access->offset,
			 (void *)harness->buffer);
	return model + at;
}

static void run_step(const struct insn *insn, struct insn_regs *regs)
{
	struct insn_access accesses[2];
	size_t n = insn_accesses(insn, regs, accesses);
	uint64_t old[2] = {0, 0}, new;
	bool writes;

	for (size_t i = 0; i < n; i++)
		if (accesses[i].reads)
			memcpy(&old[i], model_at(&accesses[i]), accesses[i].size);
	if (insn->op == INSN_CMPS) {
		insn_execute_cmps(insn, regs, old[0], old[1]);
		return;
	}
	/* Bytes above the operand must not matter. */
	if (n > 0 && accesses[0].size < 8)
		old[0] |= random_u64() << (8 * accesses[0].size);
	insn_execute(insn, regs, old[0], &new, &writes);
	assert_int_equal(writes, n > 0 && accesses[n - 1].writes);
	if (writes)
		memcpy(model_at(&accesses[n - 1]), &new, accesses[n - 1].size);
}

static void run_on_model(const struct insn *insn, struct insn_regs *regs)
{
	for (unsigned i = 0; regs->rip == 0x1000; i++) {
		assert_true(i < 20);
		run_step(insn, regs);
	}
	assert_int_equal(regs->rip, 0x1000 + insn->length);
}

static void compare_execution(const uint8_t *bytes, const struct insn *insn)
{
	uint64_t gpr[16] = {0};
	struct insn_regs regs = {.gpr = gpr};

	if (!aim(insn, &regs) || has_undefined_result(insn, regs.gpr[RCX]))
		return;
	for (size_t i = 0; i < sizeof(model); i += 8) {
		uint64_t v = i >= MIDDLE - 512 && i < MIDDLE + 1024 ? random_value() : 0;

		memcpy(model + i, &v, 8);
	}
	/* Make comparisons equal now and then. */
	if ((random_u64() & 3) == 0)
		memcpy(model + MIDDLE, &regs.gpr[RAX], 4),
			memcpy(model + MIDDLE + 4, &regs.gpr[RDX], 4);
	if (insn->op == INSN_CMPS && (random_u64() & 1) == 0)
		memset(model + MIDDLE - 100, 0x41, 300);
	memcpy(harness->buffer, model, sizeof(model));
	memcpy(harness->in, regs.gpr, sizeof(harness->in));
	harness->rflags_in = regs.rflags;
	uint64_t undefined = undefined_flags(insn, regs.gpr[RCX]);

	run_on_processor(bytes, insn->length);
	run_on_model(insn, &regs);
	for (unsigned reg = 0; reg < 16; reg++)
		if (regs.gpr[reg] != harness->out[reg])
			fail_msg("%s: register %u is 0x%lx, 0x%lx on the processor, was 0x%lx",
				 hex(bytes, insn->length), reg, (unsigned long)regs.gpr[reg],
				 (unsigned long)harness->out[reg], (unsigned long)harness->in[reg]);
	uint64_t differ = (regs.rflags ^ harness->rflags_out) & ~undefined;

	if (differ != 0)
		fail_msg("%s: flags 0x%lx, 0x%lx on the processor, were 0x%lx",
			 hex(bytes, insn->length), (unsigned long)regs.rflags,
			 (unsigned long)harness->rflags_out, (unsigned long)harness->rflags_in);
	if (memcmp(model, harness->buffer, sizeof(model)) != 0)
		fail_msg("%s: memory differs", hex(bytes, insn->length));
	n_accepted_by_op[insn->op]++;
}

static bool has_movbe(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_MOVBE) != 0;
}

static void execution_agrees_with_the_processor(void **state)
{
	bool movbe = has_movbe();

	memset(n_accepted_by_op, 0, sizeof(n_accepted_by_op));
	map_harness();
	for (unsigned i = 0; i < n_random / 2; i++) {
		uint8_t bytes[16];
		struct insn insn;

		random_instruction(bytes, 3);
		if (insn_decode(bytes, 15, INSN_64, &insn) != OK || insn.segment == INSN_FS ||
		    insn.segment == INSN_GS || (insn.op == INSN_MOVBE && !movbe))
			continue;
		compare_execution(bytes, &insn);
	}
	for (unsigned op = INSN_ADD; op <= INSN_SCAS; op++)
		if (n_accepted_by_op[op] < n_random / 6000 && (op != INSN_MOVBE || movbe))
			fail_msg("operation %u was tried %lu times", op,
				 (unsigned long)n_accepted_by_op[op]);
	munmap(harness, sizeof(*harness));
}

/* Random instructions rarely have RSP as a base. */
static void a_stack_pointer_as_base_agrees_with_the_processor(void **state)
{
	static const uint8_t cases[][6] = {
		{0x8f, 0x04, 0x24},	  {0x8f, 0x44, 0x24, 0x08},	  {0x8f, 0x44, 0x24, 0xf0},
		{0xff, 0x34, 0x24},	  {0xff, 0x74, 0x24, 0x08},	  {0xff, 0x74, 0x24, 0xf0},
		{0x66, 0x8f, 0x04, 0x24}, {0x66, 0x8f, 0x44, 0x24, 0x08}, {0x66, 0xff, 0x34, 0x24},
		{0x8b, 0x44, 0x24, 0x08}, {0x87, 0x64, 0x24, 0x08},	  {0x48, 0x01, 0x24, 0x24},
	};

	map_harness();
	for (size_t i = 0; i < 100 * ARRAY_SIZE(cases); i++) {
		const uint8_t *bytes = cases[i % ARRAY_SIZE(cases)];
		struct insn insn;

		assert_int_equal(insn_decode(bytes, sizeof(cases[0]), INSN_64, &insn), OK);
		compare_execution(bytes, &insn);
	}
	munmap(harness, sizeof(*harness));
}

static void rex_b_does_not_bring_back_the_base(void **state)
{
	uint8_t bytes[16] = {0x67, 0x45, 0x8b, 0x04, 0x25}; /* mov r8d, [absolute] */
	struct insn insn;

	map_harness();
	uint32_t low = (uint32_t)(uintptr_t)&harness->buffer[MIDDLE];

	memcpy(bytes + 5, &low, sizeof(low));
	memset(harness->buffer, 0, sizeof(harness->buffer));
	memset(harness->in, 0, sizeof(harness->in));
	harness->buffer[MIDDLE] = 0x5a;
	harness->in[R13] = 64;
	harness->rflags_in = 0x202;
	run_on_processor(bytes, 9);
	assert_int_equal(harness->out[R8], 0x5a);
	assert_int_equal(insn_decode(bytes, 9, INSN_64, &insn), OK);
	assert_int_equal(insn.base, INSN_NO_REG);
	munmap(harness, sizeof(*harness));
}

/* ---- What neither reference can show ---- */

static struct insn decode(enum insn_mode mode, const char *bytes, size_t n)
{
	struct insn insn;

	assert_int_equal(insn_decode((const uint8_t *)bytes, n, mode, &insn), OK);
	assert_int_equal(insn.length, n);
	return insn;
}

#define DECODE(mode, bytes) decode(mode, bytes, sizeof(bytes) - 1)

static void the_stack_pointer_is_as_wide_as_ss_says(void **state)
{
	static const struct {
		enum insn_mode mode;
		uint8_t stack_size;
		uint64_t rsp, offset, after;
	} cases[] = {
		{INSN_16, 0, 0x12340000, 0xfffe, 0x1234fffe},
		{INSN_16, 2, 0x12340000, 0xfffe, 0x1234fffe},
		{INSN_16, 4, 0x12340000, 0x1233fffe, 0x1233fffe},
		{INSN_32, 0, 0, 0xfffffffc, 0xfffffffc},
		{INSN_32, 2, 0x10002, 0xfffe, 0x1fffe},
		{INSN_64, 0, 0x100000000, 0xfffffff8, 0xfffffff8},
		{INSN_64, 2, 0, -8ull, -8ull},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insn insn = DECODE(cases[i].mode, "\xff\x37"); /* push [bx] or [rdi] */
		struct insn_regs regs = {.gpr = (uint64_t[16]){[RSP] = cases[i].rsp},
					 .stack_size = cases[i].stack_size};
		struct insn_access accesses[2];
		uint64_t new;
		bool writes;

		assert_int_equal(insn_accesses(&insn, &regs, accesses), 2);
		assert_int_equal(accesses[1].segment, INSN_SS);
		assert_int_equal(accesses[1].offset, cases[i].offset);
		assert_int_equal(accesses[1].size, 2 << cases[i].mode);
		insn_execute(&insn, &regs, 0x1122334455667788, &new, &writes);
		assert_int_equal(regs.gpr[RSP], cases[i].after);
		assert_true(writes);
	}
}

static void addresses_wrap_at_their_size(void **state)
{
	static const struct {
		enum insn_mode mode;
		const char *bytes;
		size_t n;
		uint64_t offset;
	} cases[] = {
		{INSN_16, "\x8b\x40\x02", 3, 0x1},	   /* mov ax, [bx+si+2] */
		{INSN_32, "\x8b\x44\x33\x02", 4, 0x1ffff}, /* mov eax, [ebx+esi+2] */
		{INSN_32, "\x67\x8b\x40\x02", 4, 0x1},
		{INSN_64, "\x8b\x44\x33\x02", 4, 0x20001ffff},
		{INSN_64, "\x67\x8b\x44\x33\x02", 5, 0x1ffff},
		{INSN_64, "\x8b\x05\xfe\xff\xff\xff", 6, 0x100001004}, /* mov eax, [rip-2] */
		{INSN_64, "\x67\x8b\x05\xfe\xff\xff\xff", 7, 0x1005},
		{INSN_64, "\xa1\xf0\xde\xbc\x9a\x78\x56\x34\x12", 9, 0x123456789abcdef0},
		{INSN_64, "\x67\xa1\xf0\xde\xbc\x9a", 6, 0x9abcdef0},
		{INSN_32, "\x67\xa1\xf0\xde", 4, 0xdef0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insn insn = decode(cases[i].mode, cases[i].bytes, cases[i].n);
		struct insn_regs regs = {
			.gpr = (uint64_t[16]){[RBX] = 0x10000ffff, [RSI] = 0x100010000},
			.rip = 0x100001000};
		struct insn_access accesses[2];

		if (cases[i].mode == INSN_16 || insn.address_size == 2)
			regs.gpr[RBX] = 0x1ffff, regs.gpr[RSI] = 0;
		else
			regs.gpr[RSI] = 0x10000fffe;
		assert_int_equal(insn_accesses(&insn, &regs, accesses), 1);
		if (accesses[0].offset != cases[i].offset)
			fail_msg("case %zu: 0x%lx", i, (unsigned long)accesses[0].offset);
	}
}

static void the_instruction_pointer_wraps_at_the_modes_size(void **state)
{
	static const uint64_t after[] = {0, 0, 0x100000000};

	for (unsigned mode = INSN_16; mode <= INSN_64; mode++) {
		struct insn insn = DECODE(mode, "\xff\x07"); /* inc [bx] or [rdi] */
		struct insn_regs regs = {.gpr = (uint64_t[16]){0},
					 .rip = mode == INSN_16 ? 0xfffe : 0xfffffffe};
		uint64_t new;
		bool writes;

		insn_execute(&insn, &regs, 41, &new, &writes);
		assert_int_equal(regs.rip, after[mode]);
		assert_int_equal(new, 42);
	}
}

static void a_repeated_string_stays_until_its_count_is_zero(void **state)
{
	struct insn insn = DECODE(INSN_64, "\xf3\xa4");
	struct insn_regs regs = {.gpr = (uint64_t[16]){[RCX] = 2, [RSI] = 10, [RDI] = 20},
				 .rip = 100};
	struct insn_access accesses[2];
	uint64_t new;
	bool writes;

	assert_int_equal(insn_accesses(&insn, &regs, accesses), 2);
	insn_execute(&insn, &regs, 0x55, &new, &writes);
	assert_int_equal(regs.rip, 100);
	assert_int_equal(new, 0x55);
	insn_execute(&insn, &regs, 0x56, &new, &writes);
	assert_int_equal(regs.rip, 102);
	assert_int_equal(regs.gpr[RSI], 12);
	assert_int_equal(regs.gpr[RDI], 22);
	/* With a count of zero nothing is accessed or written. */
	regs.rip = 100;
	assert_int_equal(insn_accesses(&insn, &regs, accesses), 0);
	insn_execute(&insn, &regs, 0x57, &new, &writes);
	assert_false(writes);
	assert_int_equal(regs.rip, 102);
	assert_int_equal(regs.gpr[RSI], 12);
}

static void memory_reads_and_writes_are_known_beforehand(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool reads, writes;
	} cases[] = {
		{"\x89\x07", 2, false, true},	  {"\x8b\x07", 2, true, false},
		{"\x01\x07", 2, true, true},	  {"\x03\x07", 2, true, false},
		{"\x39\x07", 2, true, false},	  {"\x85\x07", 2, true, false},
		{"\x87\x07", 2, true, true},	  {"\x0f\x94\x07", 3, false, true},
		{"\x0f\xa3\x07", 3, true, false}, {"\x0f\xb1\x07", 3, true, true},
		{"\xaa", 1, false, true},	  {"\xac", 1, true, false},
		{"\xae", 1, true, false},	  {"\xa4", 1, true, true},
		{"\xa6", 1, true, false},	  {"\xc6\x07\x01", 3, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct insn insn = decode(INSN_64, cases[i].bytes, cases[i].n);

		assert_int_equal(insn.reads, cases[i].reads);
		assert_int_equal(insn.writes, cases[i].writes);
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_one_byte_opcodes_agree_with_zydis),
		cmocka_unit_test(all_two_byte_opcodes_agree_with_zydis),
		cmocka_unit_test(all_three_byte_opcodes_agree_with_zydis),
		cmocka_unit_test(random_instructions_agree_with_zydis),
		cmocka_unit_test(random_bytes_agree_with_zydis),
		cmocka_unit_test(every_operation_was_compared),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(execution_agrees_with_the_processor),
		cmocka_unit_test(a_stack_pointer_as_base_agrees_with_the_processor),
		cmocka_unit_test(rex_b_does_not_bring_back_the_base),
		cmocka_unit_test(the_stack_pointer_is_as_wide_as_ss_says),
		cmocka_unit_test(addresses_wrap_at_their_size),
		cmocka_unit_test(the_instruction_pointer_wraps_at_the_modes_size),
		cmocka_unit_test(a_repeated_string_stays_until_its_count_is_zero),
		cmocka_unit_test(memory_reads_and_writes_are_known_beforehand),
	};

	if (argc > 1)
		n_random = (unsigned)strtoul(argv[1], NULL, 0);
	init_decoders();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
