(* Slots that carry something: whoever pops a slot gets it, whoever pushes the slot gives it up.

     list      [i ∗ P i] ─► [j ∗ P j] ─► ...        pop: none, or i ∗ P i          P: for instance the memory of the slot
     waiters   [R k, R l, ...] while the list is armed         arm: gives R k       R: what a waiter has written down
                                                            free: gives P i back, and gets all R if it ends a wait *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export pop pop_chain push arm.

Section carrying.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Context (P : nat → iProp Σ) (R : nat → iProp Σ).
  Implicit Types (γ : names) (h s : loc) (i x k : nat) (xs cs ks : list nat) (w : bool).

  Definition carryN : namespace := nroot .@ "carry".

  (* What all waiters have written down who have armed since the last free that ended a wait: one at least. *)
  Definition waiters : iProp Σ := ∃ k ks, [∗ list] k ∈ k :: ks, R k.

  Definition carry_inv γ : iProp Σ := ∃ xs w, content γ xs w ∗ ([∗ list] x ∈ xs, P x) ∗ if w then waiters else emp.

  Definition is_pool γ h s : iProp Σ := is_list γ h s ∗ inv carryN (carry_inv γ).

  Global Instance is_pool_persistent γ h s : Persistent (is_pool γ h s).
  Proof. apply _. Qed.

  Theorem pool_alloc h s E :
    h ↦ #0 -∗ s ↦∗ replicate N #0 -∗ ([∗ list] i ∈ seq 0 N, P i) ={E}=∗ ∃ γ, is_pool γ h s.
  Proof.
    iIntros "Hh Hs HP". iMod (list_alloc with "Hh Hs") as (γ) "[#Hl Hc]".
    iExists γ. iFrame "Hl". iApply inv_alloc. iNext. iExists _, _. by iFrame.
  Qed.

  (* What a step hides may be used after it. *)
  Lemma wp_later_wand e Q (Φ : val → iProp Σ) :
    TCEq (to_val e) None → ▷ Q -∗ WP e {{ v, Q ={⊤}=∗ Φ v }} -∗ WP e {{ Φ }}.
  Proof.
    iIntros (He) "HQ He". iApply (wp_step_fupd _ _ ⊤ _ Q with "[HQ] He"); [done|].
    iIntros "!> !> !>". iExact "HQ".
  Qed.

  Theorem pool_pop γ h s :
    {{{ is_pool γ h s }}}
      pop #h #s
    {{{ v, RET v; ⌜v = NONEV⌝ ∨ ∃ i, ⌜v = SOMEV #i ∧ (i < N)%nat⌝ ∗ slot γ.(word_name) i ∗ P i }}}.
  Proof.
    iIntros (Φ) "[#Hl #Hinv] HΦ". iApply (wp_later_wand with "HΦ").
    awp_apply (pop_spec with "Hl").
    iInv "Hinv" as (xs w) "(>Hc & HP & HR)". iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitL; [|done]. iNext. iExists xs, w. by iFrame. }
    iIntros "(Hc & Hslot) !>". destruct xs as [|x xs]; simpl.
    - iSplitL; [iNext; iExists [], w; by iFrame|].
      iIntros "HΦ !>". iApply "HΦ". by iLeft.
    - iDestruct "HP" as "[HPx HP]". iDestruct "Hslot" as "[Hlc Hslot]".
      iSplitR "HPx Hslot Hlc"; [iNext; iExists xs, w; by iFrame|]. iIntros "HΦ".
      iMod (lc_fupd_elim_later with "Hlc HPx") as "HPx".
      iMod (slot_bound with "Hl Hslot") as "[Hslot %Hx]"; [done|].
      iIntros "!>". iApply "HΦ". iRight. iExists x. by iFrame.
  Qed.

  (* A chain of one slot at least and `most` at most, and what its slots carry. *)
  Theorem pool_pop_chain γ h s (most : nat) : (0 < most)%nat →
    {{{ is_pool γ h s }}}
      pop_chain #h #s #most
    {{{ v, RET v; ⌜v = NONEV⌝ ∨ ∃ x xs below, ⌜v = SOMEV (#x, #(length (x :: xs)))⌝ ∗
        ⌜(length (x :: xs) ≤ most)%nat⌝ ∗ chain γ.(word_name) (x :: xs) below ∗ [∗ list] y ∈ x :: xs, P y }}}.
  Proof.
    iIntros (Hmost Φ) "[#Hl #Hinv] HΦ". iApply (wp_later_wand with "HΦ").
    awp_apply (pop_chain_spec with "Hl"); [done|].
    iInv "Hinv" as (xs w) "(>Hc & HP & HR)". iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitL; [|done]. iNext. iExists xs, w. by iFrame. }
    iIntros (n) "(Hc & Hlc & Hch & %Hn) !>".
    iAssert (▷ (([∗ list] y ∈ take n xs, P y) ∗ [∗ list] y ∈ drop n xs, P y))%I
      with "[HP]" as "[Htaken HP]"; [iNext; by rewrite -big_sepL_app take_drop|].
    iSplitR "Htaken Hch Hlc".
    { iNext. iExists (drop n xs), w. by iFrame. }
    iIntros "HΦ". iMod (lc_fupd_elim_later with "Hlc Htaken") as "Htaken". iIntros "!>". iApply "HΦ".
    destruct xs as [|x xs]; [by iLeft|]. iRight.
    assert (take n (x :: xs) = x :: take (n - 1) xs) as ->.
    { destruct n; [lia|]. simpl. by rewrite Nat.sub_0_r. }
    iExists x, (take (n - 1) xs), _. iFrame. iPureIntro. split; [done|].
    simpl. rewrite take_length. lia.
  Qed.

  (* A free that ends a wait gets what the waiters have written. *)
  Theorem pool_free_chain γ h s cs (first last : nat) :
    {{{ is_pool γ h s ∗ chain_from_to γ cs first last ∗ [∗ list] c ∈ cs, P c }}}
      free #h #s #first #last
    {{{ (waited : bool), RET #waited; if waited then waiters else emp }}}.
  Proof.
    iIntros (Φ) "([#Hl #Hinv] & Hcs & HPcs) HΦ". iApply (wp_later_wand with "HΦ").
    awp_apply (free_spec with "Hl Hcs").
    iInv "Hinv" as (xs w) "(>Hc & HP & HR)". iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitR "HPcs"; [|by iFrame]. iNext. iExists xs, w. by iFrame. }
    iIntros "[Hc Hlc] !>". iSplitR "HR Hlc".
    { iNext. iExists (cs ++ xs), false. rewrite big_sepL_app. by iFrame. }
    iIntros "HΦ". iMod (lc_fupd_elim_later with "Hlc HR") as "HR". iIntros "!>". by iApply "HΦ".
  Qed.

  Theorem pool_push_to_waiter γ h s cs (first last : nat) :
    {{{ is_pool γ h s ∗ chain_from_to γ cs first last ∗ [∗ list] c ∈ cs, P c }}}
      push_to_waiter #h #s #first #last
    {{{ (waited : bool), RET #waited; if waited then waiters else emp }}}.
  Proof.
    iIntros (Φ) "([#Hl #Hinv] & Hcs & HPcs) HΦ". iApply (wp_later_wand with "HΦ").
    awp_apply (push_to_waiter_spec with "Hl Hcs").
    iInv "Hinv" as (xs w) "(>Hc & HP & HR)". iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitR "HPcs"; [|by iFrame]. iNext. iExists xs, w. by iFrame. }
    iIntros "[Hc Hlc] !>". iSplitR "HR Hlc".
    { iNext. iExists (cs ++ xs), false. rewrite big_sepL_app. by iFrame. }
    iIntros "HΦ". iMod (lc_fupd_elim_later with "Hlc HR") as "HR". iIntros "!>". by iApply "HΦ".
  Qed.

  Theorem pool_free γ h s i :
    {{{ is_pool γ h s ∗ slot γ.(word_name) i ∗ P i }}}
      free #h #s #i #i
    {{{ (waited : bool), RET #waited; if waited then waiters else emp }}}.
  Proof.
    iIntros (Φ) "(#Hpool & Hslot & HPi) HΦ". iDestruct (slot_from_to with "Hslot") as "Hslot".
    wp_apply (pool_free_chain _ _ _ [i] with "[$Hpool $Hslot $HPi //]"). iApply "HΦ".
  Qed.

  (* A waiter hands over what it has written, to the free that will end its wait; or a slot has come back. *)
  Theorem pool_arm γ h s k :
    {{{ is_pool γ h s ∗ R k }}} arm #h {{{ (armed : bool), RET #armed; if armed then emp else R k }}}.
  Proof.
    iIntros (Φ) "[[#Hl #Hinv] HRk] HΦ". iApply (wp_later_wand with "HΦ").
    awp_apply (arm_spec with "Hl").
    iInv "Hinv" as (xs w) "(>Hc & HP & HR)". iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitR "HRk"; [|by iFrame]. iNext. iExists xs, w. by iFrame. }
    iIntros "Hc !>". destruct xs as [|x xs].
    - iSplitL; [|iIntros "HΦ !>"; by iApply "HΦ"].
      iNext. iExists [], true. iFrame. destruct w; [|iExists k, []; by iFrame].
      iDestruct "HR" as (k' ks) "HR". iExists k, (k' :: ks). by iFrame.
    - iSplitR "HRk"; [iNext; iExists (x :: xs), w; by iFrame|]. iIntros "HΦ !>". by iApply "HΦ".
  Qed.
End carrying.
