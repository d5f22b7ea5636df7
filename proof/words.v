(* State words, one a slot, and the chains that their links make.

     words   [ z0 ][ z1 ][ z2 ][ z3 ]       word i z: the right to write the word of slot i, which is z now.
                │          ▲  │             Everybody may read every word at any time.
                └──────────┘  └──► below
     chain [0; 2] below                     slot i: the ownership of a slot, whatever its word is

   A slot that is on the list has given this right to the list. So nobody owns a slot twice, and nobody owns one that is
   on the list. *)
From iris.base_logic.lib Require Import ghost_map.
From tierpool Require Export machine.

Class wordsG Σ := WordsG { words_mapG :> ghost_mapG Σ nat Z }.
Definition wordsΣ : gFunctors := #[ghost_mapΣ nat Z].
Global Instance subG_wordsΣ Σ : subG wordsΣ Σ → wordsG Σ.
Proof. solve_inG. Qed.

Section words.
  Context `{!sizes, !heapGS Σ, !wordsG Σ}.
  Implicit Types (γ : gname) (s : loc) (i x : nat) (xs ys cs : list nat) (z l below : Z) (w : bool).

  Definition word γ i z : iProp Σ := i ↪[γ] z.

  Definition slot γ i : iProp Σ := ∃ z, word γ i z.

  Definition words γ s : iProp Σ := ∃ σ : gmap nat Z,
    ghost_map_auth γ 1 σ ∗ ([∗ map] i ↦ z ∈ σ, (s +ₗ Z.of_nat i) ↦ #(z : Z)) ∗
    ⌜∀ i, is_Some (σ !! i) ↔ (i < N)%nat⌝.

  Global Instance word_timeless γ i z : Timeless (word γ i z).
  Proof. apply _. Qed.
  Global Instance words_timeless γ s : Timeless (words γ s).
  Proof. apply _. Qed.

  Lemma word_exclusive γ i z1 z2 : word γ i z1 -∗ word γ i z2 -∗ False.
  Proof.
    iIntros "H1 H2". iDestruct (ghost_map_elem_valid_2 with "H1 H2") as %[Hv _].
    by rewrite dfrac_op_own dfrac_valid_own in Hv.
  Qed.

  (* No slot has two owners. *)
  Theorem slot_exclusive γ i : slot γ i -∗ slot γ i -∗ False.
  Proof. iIntros "(%z1 & H1) (%z2 & H2)". iApply (word_exclusive with "H1 H2"). Qed.

  (* Anybody may read any word. *)
  Lemma words_read γ s i : (i < N)%nat →
    words γ s -∗ ∃ z : Z, (s +ₗ i) ↦ #z ∗ ((s +ₗ i) ↦ #z -∗ words γ s).
  Proof.
    iIntros (Hi) "(%σ & Hσ & Hs & %Hdom)".
    destruct (proj2 (Hdom i) Hi) as [z Hz].
    iDestruct (big_sepM_lookup_acc with "Hs") as "[Hi Hs]"; [done|].
    iExists z. iFrame "Hi". iIntros "Hi". iExists σ. iFrame "Hσ". iSplitL; [|done].
    by iApply "Hs".
  Qed.

  (* Its owner knows the value and may change it. *)
  Lemma words_own γ s i z :
    words γ s -∗ word γ i z -∗
    ⌜(i < N)%nat⌝ ∗ (s +ₗ i) ↦ #z ∗ (∀ z', (s +ₗ i) ↦ #z' ==∗ words γ s ∗ word γ i z').
  Proof.
    iIntros "(%σ & Hσ & Hs & %Hdom) Hi".
    iDestruct (ghost_map_lookup with "Hσ Hi") as %Hz.
    iSplit; [iPureIntro; by apply Hdom|].
    iDestruct (big_sepM_insert_acc with "Hs") as "[$ Hs]"; [done|].
    iIntros (z') "Hz'". iMod (ghost_map_update z' with "Hσ Hi") as "[Hσ $]".
    iModIntro. iExists (<[i:=z']> σ). iFrame "Hσ". iSplitL.
    - by iApply "Hs".
    - iPureIntro. intros j. rewrite -Hdom. destruct (decide (j = i)) as [->|Hne].
      + rewrite lookup_insert Hz. split; intros _; eauto.
      + by rewrite lookup_insert_ne.
  Qed.

  Lemma words_bound γ s i z : words γ s -∗ word γ i z -∗ ⌜(i < N)%nat⌝.
  Proof. iIntros "Hs Hi". by iDestruct (words_own with "Hs Hi") as "[$ _]". Qed.

  (* ---- chains *)

  (* The word of slot i is a link l. *)
  Definition linked γ i l : iProp Σ := ∃ z, word γ i z ∗ ⌜is_link z l⌝.

  (* The links lead from each slot to the next, and from the last one to `below`. *)
  Fixpoint chain γ cs below : iProp Σ :=
    match cs with
    | [] => emp
    | c :: rest => linked γ c (first_or rest below - c - 1) ∗ chain γ rest below
    end.

  (* The same, but for the last link. *)
  Definition loose γ cs : iProp Σ :=
    ∃ front (l : nat) z, ⌜cs = front ++ [l]⌝ ∗ chain γ front l ∗ word γ l z.

  Global Instance chain_timeless γ cs below : Timeless (chain γ cs below).
  Proof. revert below. induction cs as [|c cs IH]; intros below; apply _. Qed.

  Lemma linked_slot γ i l : linked γ i l -∗ slot γ i.
  Proof. iIntros "(%z & Hi & _)". by iExists z. Qed.

  Lemma chain_app γ xs ys below : chain γ (xs ++ ys) below ⊣⊢ chain γ xs (first_or ys below) ∗ chain γ ys below.
  Proof.
    induction xs as [|x xs IH]; simpl; [by rewrite left_id|].
    by rewrite IH first_or_app assoc.
  Qed.

  Lemma slot_loose γ i : slot γ i -∗ loose γ [i].
  Proof. iIntros "(%z & H)". iExists [], i, z. by iFrame. Qed.

  Lemma loose_slot γ i : loose γ [i] -∗ slot γ i.
  Proof.
    iIntros "(%front & %l & %z & %Heq & _ & H)". destruct front as [|x [|y front]]; simplify_eq/=. by iExists z.
  Qed.

  Lemma chain_loose γ c cs below : chain γ (c :: cs) below -∗ loose γ (c :: cs).
  Proof.
    assert (∃ (front : list nat) (l : nat), c :: cs = front ++ [l]) as (front & l & ->).
    { destruct (exists_last (l := c :: cs)) as (front & l & ->); [done|by eauto]. }
    iIntros "H". iDestruct (chain_app with "H") as "(Hfront & (%z & Hl & _) & _)".
    iExists front, l, z. by iFrame.
  Qed.

  Lemma chain_slots γ xs below : chain γ xs below -∗ [∗ list] x ∈ xs, slot γ x.
  Proof.
    iIntros "H". iInduction xs as [|x xs] "IH"; simpl; [done|].
    iDestruct "H" as "[Hx H]". iSplitL "Hx"; [by iApply linked_slot|]. by iApply "IH".
  Qed.

  Lemma slots_NoDup γ xs : ([∗ list] x ∈ xs, slot γ x) -∗ ⌜NoDup xs⌝.
  Proof.
    iIntros "H". iInduction xs as [|x xs] "IH"; simpl; [iPureIntro; constructor|].
    iDestruct "H" as "[Hx H]".
    iAssert ⌜x ∉ xs⌝%I as %Hni.
    { destruct (decide (x ∈ xs)) as [Hin|]; [|done].
      iDestruct (big_sepL_elem_of with "H") as "Hx'"; [done|]. iDestruct (slot_exclusive with "Hx Hx'") as "[]". }
    iDestruct ("IH" with "H") as %Hnd. iPureIntro. by constructor.
  Qed.

  Lemma words_slots_bound γ s xs :
    words γ s -∗ ([∗ list] x ∈ xs, slot γ x) -∗ ⌜Forall (λ x, x < N)%nat xs⌝.
  Proof.
    iIntros "Hs H". rewrite Forall_forall. iIntros (x Hx).
    iDestruct (big_sepL_elem_of with "H") as (z) "Hx"; [done|].
    iApply (words_bound with "Hs Hx").
  Qed.

  Lemma chain_NoDup γ xs below : chain γ xs below -∗ ⌜NoDup xs⌝.
  Proof. iIntros "H". iApply slots_NoDup. by iApply chain_slots. Qed.

  (* The owner of a chain may write its last link. *)
  Lemma loose_store γ s cs (last : nat) : list.last cs = Some last →
    words γ s -∗ loose γ cs -∗
    ∃ z, (s +ₗ last) ↦ #z ∗ ⌜(last < N)%nat⌝ ∗
      (∀ below : Z, ⌜(0 ≤ below ≤ N)%Z⌝ -∗
        (s +ₗ last) ↦ #(USED + (below - last - 1)) ==∗ words γ s ∗ chain γ cs below).
  Proof.
    iIntros (Hlast) "Hs (%front & %l & %z & -> & Hfront & Hl)".
    rewrite last_snoc in Hlast. simplify_eq.
    iDestruct (words_own with "Hs Hl") as "(%Hbound & Hz & Hs)". iExists z. iFrame "Hz". iSplit; [done|].
    iIntros (below Hbelow) "Hz". iMod ("Hs" with "Hz") as "[$ Hl]". iModIntro.
    iApply chain_app. iFrame "Hfront". iSplitL; [|done]. iExists _. iFrame "Hl". iPureIntro.
    apply is_link_used. pose proof slots_have_a_link. simpl. lia.
  Qed.

  (* What the index of the head tells. *)
  Lemma index_facts γ s xs below w : words γ s -∗ chain γ xs below -∗
    ⌜(0 ≤ first_or xs (empty_index w) < M)%Z ∧
     (first_or xs (empty_index w) < N ↔ xs ≠ [])%Z ∧
     (N < first_or xs (empty_index w) ↔ xs = [] ∧ w = true)%Z⌝.
  Proof.
    pose proof index_has_room. iIntros "Hs H". destruct xs as [|x xs]; simpl.
    - iPureIntro. destruct w; simpl; naive_solver lia.
    - iDestruct "H" as "[(%z & Hx & _) _]". iDestruct (words_bound with "Hs Hx") as %?.
      iPureIntro. naive_solver lia.
  Qed.

  (* A suffix that starts with the top slot is the whole list. *)
  Lemma suffix_top xs i ys below :
    NoDup xs → (i :: ys) `suffix_of` xs → first_or xs below = i → xs = i :: ys.
  Proof.
    intros Hnd [[|x pre] ->] Htop; [done|]. simpl in Htop. simplify_eq.
    apply NoDup_cons in Hnd as [Hni _]. exfalso. apply Hni. set_solver.
  Qed.

  (* ---- at the start: all zero *)

  Lemma words_alloc s : s ↦∗ replicate N #0 ==∗ ∃ γ, words γ s ∗ [∗ list] i ∈ seq 0 N, word γ i 0.
  Proof.
    iIntros "Hs".
    iMod (ghost_map_alloc (map_seq 0 (replicate N 0%Z) : gmap nat Z)) as (γ) "[Hσ Hwords]".
    assert (∀ (Φ : nat → Z → iProp Σ) a k,
      ([∗ map] i ↦ z ∈ map_seq a (replicate k 0%Z), Φ i z) ⊣⊢ [∗ list] i ∈ seq a k, Φ i 0%Z) as Hmap.
    { intros Φ a k. revert a. induction k as [|k IH]; intros a; simpl; [by rewrite big_sepM_empty|].
      rewrite big_sepM_insert; [by rewrite IH|]. apply map_seq_cons_disjoint. }
    assert (∀ a k, ([∗ list] i ↦ v ∈ replicate k #0, (s +ₗ Z.of_nat (a + i)) ↦ v) ⊣⊢
      [∗ list] i ∈ seq a k, (s +ₗ Z.of_nat i) ↦ #0) as Harray.
    { intros a k. revert a. induction k as [|k IH]; intros a; simpl; [done|].
      rewrite Nat.add_0_r -IH. do 2 f_equiv. intros i v. by rewrite Nat.add_succ_r. }
    iModIntro. iExists γ. rewrite Hmap. iFrame "Hwords". iExists _. iFrame "Hσ". iSplit.
    - rewrite Hmap -Harray. iApply "Hs".
    - iPureIntro. intros i. rewrite lookup_map_seq_0 lookup_lt_is_Some replicate_length. done.
  Qed.

  (* All zero is the full list in order. *)
  Lemma chain_zeros γ : ([∗ list] i ∈ seq 0 N, word γ i 0) -∗ chain γ (seq 0 N) N.
  Proof.
    assert (∀ k a, (a + k = N)%nat → ([∗ list] i ∈ seq a k, word γ i 0) ⊢ chain γ (seq a k) N) as Hchain.
    { induction k as [|k IH]; intros a Ha; simpl; [done|].
      rewrite (IH (S a)); [|lia]. f_equiv.
      replace (first_or (seq (S a) k) N - a - 1)%Z with 0%Z; [|destruct k; simpl; lia].
      iIntros "H". iExists _. iFrame. iPureIntro. apply is_link_zero. }
    iApply (Hchain N 0). lia.
  Qed.
End words.
