(* The programs of handles: src/state.rs, src/handle.rs and src/copy_on_write.rs, as far as they touch the state word. *)
From iris.heap_lang Require Import lib.diverge.
From tierpool Require Export code.

(* The bits that two words have in common. *)
Notation "e1 `bits` e2" := (BinOp AndOp e1%E e2%E) (at level 35, no associativity) : expr_scope.

Section code.
  Context `{!sizes}.

  Definition HANDLE : Z := 3221225472.  (* 0xC000_0000 *)
  Definition WIPE : Z := 268435456.     (* 0x1000_0000 *)
  Definition OVERFLOW : Z := 134217728. (* 0x0800_0000 *)
  Definition COUNT : Z := 268435455.    (* 0x0FFF_FFFF *)

  Definition retain : val := λ: "state",
    if: FAA "state" #1 `bits` #OVERFLOW = #0 then #() else diverge #().

  Definition release : val := λ: "state" "value",
    if: "value" `bits` #COUNT = #0 then SOME "value" else
    let: "old" := FAA "state" #(-1) in
    if: "old" `bits` #COUNT = #0 then !"state";; SOME "old" else NONE.

  Definition is_unique : val := λ: "state", !"state" `bits` #COUNT = #0.

  (* What `Handle::release` does to the state word: none, or the kind of the buffer that the caller has to free. *)
  Definition let_go : val := λ: "state",
    let: "value" := !"state" in
    if: "value" = #HANDLE then SOME "value" else release "state" "value".

  (* `Handle::release`, with `free_special` for the slots of a tier. "p" is the payload, one cell a slot. *)
  Definition drop_handle : val := λ: "h" "s" "p" "index",
    match: let_go ("s" +ₗ "index") with
      NONE => #false
    | SOME "kind" =>
        if: "kind" = #HANDLE then free "h" "s" "index" "index" else
        (if: "kind" `bits` #WIPE = #0 then #() else "p" +ₗ "index" <- #0);;
        push_to_waiter "h" "s" "index" "index"
    end.

  (* `Bytes::make_mut` where no copy is needed; false: the handle is shared, so nothing is written. *)
  Definition make_mut : val := λ: "s" "p" "index" "v",
    if: is_unique ("s" +ₗ "index") then "p" +ₗ "index" <- "v";; #true else #false.
End code.
