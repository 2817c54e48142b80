; SPDX-License-Identifier: BSD-2-Clause
; For all v and all powers of two, align_down() of hv/lib/types.h, v & ~(align - 1), computes what
; tests/prove/numbers.h says: no number of 64 bits contradicts it.
(set-logic QF_BV)
(declare-const v (_ BitVec 64))
(declare-const n (_ BitVec 64))
(define-const align (_ BitVec 64) (bvshl #x0000000000000001 n))
(define-const down (_ BitVec 64) (bvand v (bvnot (bvsub align #x0000000000000001))))
(assert (bvult n #x0000000000000040))
(assert (not (and (bvule down v)
                  (bvult (bvsub v down) align)
                  (= (bvand down (bvsub align #x0000000000000001)) #x0000000000000000))))
(check-sat)
