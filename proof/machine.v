(* The instructions: what a swap of the head does, and where a link lies in a state word.

     memory:  the whole number  tag * M + index, with a tag that never wraps
              └──────────────── `rem` (W * M): all that the machine sees of it ┘

   The number in memory carries the pops that the machine's tag has forgotten. Programs look at it in two ways alone: by
   the index (`rem` M), and by comparing it in a swap, of which only the remainder modulo W * M counts. So they
   do what they would do if memory held no more than that remainder.

   `overslept` marks the runs that no finite tag survives: a popper's swap finds the word that it has loaded, but
   W pops or more have happened meanwhile. Such a swap never returns here; so what is proven of a program holds for every run
   in which no popper sleeps through W pops. Pushes and arms swap without that condition. *)
From iris.program_logic Require Export atomic.
From iris.heap_lang Require Export proofmode notation.
From iris.heap_lang Require Import lib.nondet_bool.
From tierpool Require Export sizes.

Section code.
  Context `{!sizes}.

  Definition overslept : val := rec: "overslept" <> := "overslept" #().

  (* compare_exchange(head, head + by). *)
  Definition swap (popper : bool) : val := rec: "swap" "h" "head" "by" :=
    let: "now" := !"h" in
    if: "now" `rem` #WM = "head" `rem` #WM then
      (if: #popper then (if: "head" + #WM ≤ "now" then overslept #() else #()) else #());;
      if: CAS "h" "now" ("now" + "by") then #true else "swap" "h" "head" "by"
    else #false.

  (* compare_exchange_weak: the same, or it fails for no reason. *)
  Definition swap_weak (popper : bool) : val := λ: "h" "head" "by",
    if: nondet_bool #() then swap popper "h" "head" "by" else #false.

  (* A free slot that has been used: this and its link. *)
  Definition USED : Z := 1073741824. (* 0x4000_0000 *)

  (* StateWord::link: the low 11 bits with their sign. *)
  (* Rust:
        | pub(crate) fn link(&self) -> i32 {
      1 |     (self.word.load_settled() << (32 - LINK_BITS)) as i32 >> (32 - LINK_BITS)
        | }
  *)
  Definition link : val := λ: "word", ("word" + #1024) `rem` #2048 - #1024.

  (* StateWord::set_free. *)
  (* Rust:
        | pub(crate) fn set_free(&self, link: i32) {
      1 |     self.word.store(USED.wrapping_add_signed(link), Relaxed);
        | }
  *)
  Definition set_free : val := λ: "state" "link", "state" <- #USED + "link".
End code.

Section proof.
  Context `{!sizes, !heapGS Σ}.
  Implicit Types (h : loc) (z l : Z).

  Lemma overslept_spec Φ : ⊢ WP overslept #() {{ Φ }}.
  Proof. iLöb as "IH". wp_lam. iApply "IH". Qed.

  (* What a swap that has succeeded tells; and it may always fail. *)
  Lemma swap_weak_spec (popper : bool) h (head d : Z) :
    ⊢ <<< ∀∀ z : Z, h ↦ #z >>>
        swap_weak popper #h #head #d @ ∅
      <<< ∃∃ b : bool, h ↦ #(if b then z + d else z)%Z ∗
            ⌜b = true → (z `rem` WM)%Z = (head `rem` WM)%Z ∧ (popper = true → z < head + WM)%Z⌝,
          RET #b >>>.
  Proof.
    iIntros (Φ) "AU". wp_lam. wp_pures.
    wp_apply nondet_bool_spec; first done. iIntros (go) "_".
    destruct go; wp_pures; last first.
    { iMod "AU" as (z) "[Hz [_ Hclose]]".
      iMod ("Hclose" $! false with "[$Hz]") as "HΦ"; [iPureIntro; done|]. by iFrame "HΦ". }
    iLöb as "IH". wp_lam. wp_pures.
    wp_bind (! _)%E. iMod "AU" as (z) "[Hz Hclose]". wp_load.
    destruct (decide ((z `rem` WM)%Z = (head `rem` WM)%Z)) as [Heq|Hne]; last first.
    { iDestruct "Hclose" as "[_ Hclose]".
      iMod ("Hclose" $! false with "[$Hz]") as "HΦ"; [iPureIntro; done|]. iModIntro. wp_pures.
      rewrite bool_decide_eq_false_2; [|congruence]. wp_pures. by iApply "HΦ". }
    iDestruct "Hclose" as "[Hclose _]". iMod ("Hclose" with "Hz") as "AU". iModIntro. wp_pures.
    rewrite bool_decide_eq_true_2; [|congruence]. wp_pures.
    wp_bind (if: _ then _ else _)%E.
    iApply (wp_wand _ _ _ (λ _, ⌜popper = true → (z < head + WM)%Z⌝)%I).
    { destruct popper; wp_pures; [|done].
      destruct (decide (head + WM ≤ z)%Z).
      - rewrite bool_decide_eq_true_2; [|done]. wp_pures. iApply overslept_spec.
      - rewrite bool_decide_eq_false_2; [|done]. wp_pures. iPureIntro. lia. }
    iIntros (v Hawake). wp_pures.
    wp_bind (CmpXchg _ _ _). iMod "AU" as (z') "[Hz Hclose]".
    destruct (decide (z' = z)) as [->|Hmoved].
    - wp_cmpxchg_suc. iDestruct "Hclose" as "[_ Hclose]".
      iMod ("Hclose" $! true with "[$Hz]") as "HΦ"; [iPureIntro; done|]. iModIntro. wp_pures. by iApply "HΦ".
    - wp_cmpxchg_fail. iDestruct "Hclose" as "[Hclose _]".
      iMod ("Hclose" with "Hz") as "AU". iModIntro. wp_pures. by iApply "IH".
  Qed.

  (* The link in a word. *)
  Definition link_of z : Z := ((z + 1024) `rem` 2048 - 1024)%Z.

  (* A word of a free slot whose link is l. *)
  Definition is_link z l : Prop := link_of z = l ∧ (z = 0%Z ∨ z = (USED + l)%Z).

  Lemma link_spec z : {{{ True }}} link #z {{{ RET #(link_of z); True }}}.
  Proof. iIntros (Φ) "_ HΦ". wp_lam. wp_pures. by iApply "HΦ". Qed.

  Lemma is_link_used l : (-1024 ≤ l < 1024)%Z → is_link (USED + l) l.
  Proof.
    intros Hl. split; [|by right]. unfold link_of, USED.
    replace (1073741824 + l + 1024)%Z with (l + 1024 + 524288 * 2048)%Z by lia.
    rewrite Z.rem_mod_nonneg; [|lia..]. rewrite Z.mod_add; [|lia]. rewrite Z.mod_small; lia.
  Qed.

  Lemma is_link_zero : is_link 0 0.
  Proof. split; [done|by left]. Qed.
End proof.

Global Opaque overslept swap swap_weak link USED.
