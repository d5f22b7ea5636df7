(* The programs of handles: src/protocol/slot_state.rs, src/buf/handle/release.rs and src/buf/copy_on_write.rs, as far as they touch the state word. *)
From iris.heap_lang Require Import lib.diverge.
From tierpool Require Export code.

(* The bits that two words have in common. *)
Notation "e1 `bits` e2" := (BinOp AndOp e1%E e2%E) (at level 35, no associativity) : expr_scope.

Section code.
  Context `{!sizes}.

  Definition UNIQUE_SLOT : Z := 3221225472.  (* 0xC000_0000 *)
  Definition WIPE : Z := 268435456.     (* 0x1000_0000 *)
  Definition OVERFLOW : Z := 134217728. (* 0x0800_0000 *)
  Definition COUNT : Z := 268435455.    (* 0x0FFF_FFFF *)

  (* Rust:
        | pub(crate) fn retain(&self) {
      1 |     if self.word.fetch_add(1, Relaxed) & OVERFLOW != 0 {
      2 |         trap();
        |     }
        | }
  *)
  Definition retain : val := λ: "state",
    if: FAA "state" #1 `bits` #OVERFLOW = #0 then #() else diverge #(). (* 1, 2 *)

  (* Rust:
        | pub(crate) fn release(&self, value: u32) -> Option<BufferKind> {
      1 |     if value & COUNT == 0 {
      2 |         return Some(BufferKind(value));
        |     }
      3 |     let old = self.word.fetch_sub(1, Release);
      4 |     if old & COUNT != 0 {
      5 |         return None;
        |     }
      6 |     self.word.load(Acquire);
      7 |     Some(BufferKind(old))
        | }
  *)
  Definition release : val := λ: "state" "value",
    if: "value" `bits` #COUNT = #0 then SOME "value" else       (* 1, 2 *)
    let: "old" := FAA "state" #(-1) in                          (* 3 *)
    if: "old" `bits` #COUNT = #0 then !"state";; SOME "old" else NONE. (* 4 to 7 *)

  (* Rust:
        | pub(crate) fn is_unique(&self) -> bool {
      1 |     self.word.load(Acquire) & COUNT == 0
        | }
  *)
  Definition is_unique : val := λ: "state", !"state" `bits` #COUNT = #0.

  (* Rust:
        | pub(crate) fn value(&self) -> u32 {
      1 |     self.word.load(Acquire)
        | }
  *)
  (* Rust:
        | pub(crate) fn release(&mut self) {
      1 |     if let Some((state, owner)) = self.buffer() {
      2 |         let value = state.value();
      3 |         if value == UNIQUE_SLOT {
        |             unsafe {
        |                 let tier = owner.of_whole();
      4 |                 tier.free(tier.index_of_state(state.into()))
        |             }
        |         } else {
      5 |             unsafe { release_slow(self.ctl, owner, value) }
        |         }
        |     }
        | }
  *)
  (* Rust:
        | unsafe fn release_slow(ctl: *const StateWord, owner: Owner, value: u32) {
      1 |     if let Some(kind) = unsafe { &*ctl }.release(value) {
      2 |         unsafe { free_slow(ctl, owner, kind) }
        |     }
        | }
  *)
  (* What `Handle::release` does to the state word: none, or the kind of the buffer that the caller has to free. *)
  Definition let_go : val := λ: "state",
    let: "value" := !"state" in
    if: "value" = #UNIQUE_SLOT then SOME "value" else release "state" "value".

  (* Rust:
        | unsafe fn free_slow(ctl: *const StateWord, owner: Owner, kind: BufferKind) {
        |     let tier = owner.tier();
      1 |     let ctl = unsafe { NonNull::new_unchecked(ctl.cast_mut()) };
      2 |     if kind.is_fallback() {
      3 |         return unsafe { tier.pool().free_to_fallback(ctl.cast()) };
        |     }
      4 |     unsafe {
      5 |         let index = tier.index_of_state(ctl);
      6 |         if kind.wipes() {
      7 |             tier.wipe(index);
        |         }
        |         tier.poison(index);
      8 |         tier.free_out_of_line(index, index);
        |     }
        | }
  *)
  (* `Handle::release`, with `free_slow` for the slots of a tier. "p" is the payload, one cell a slot. *)
  Definition drop_handle : val := λ: "h" "s" "p" "index",
    match: let_go ("s" +ₗ "index") with
      NONE => #false
    | SOME "kind" =>
        if: "kind" = #UNIQUE_SLOT then free "h" "s" "index" "index" else
        (if: "kind" `bits` #WIPE = #0 then #() else "p" +ₗ "index" <- #0);;
        push_to_waiter "h" "s" "index" "index"
    end.

  (* Rust:
        | fn make_mut_from(&mut self, pool: Option<&'static Pool>) -> Result<&mut [u8], AllocError> {
      1 |     if !self.is_unique() {
      2 |         self.copy_while_shared(pool)?;
        |     }
      3 |     Ok(unsafe { self.0.as_mut_slice() })
        | }
  *)
  (* `Bytes::make_mut` where no copy is needed; false: the handle is shared, so nothing is written. *)
  Definition make_mut : val := λ: "s" "p" "index" "v",
    if: is_unique ("s" +ₗ "index") then "p" +ₗ "index" <- "v";; #true else #false.
End code.
