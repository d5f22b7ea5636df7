(* The state word as a reference count: handles that share a slot.

     state word   initial_state + handles - 1      initial_state: UNIQUE_SLOT, or UNIQUE_SLOT + WIPE in a pool that wipes
     payload      one cell for all bytes of the slot, in shares:    handle: a share, for reading    unique: all, for writing
     ghost        the count, and the sum of the handles' shares;    what is missing to 1 lies in the invariant

     clone        adds 1, and takes a share out of the invariant
     let_go       finds the count at 1, without a write; or subtracts 1.    The last one gets the slot and all of the payload
     is_unique    finds the count at 1: all shares are the caller's

   A count below 2^28 leaves the flags above it alone. Here it is at most 2^27 by assumption (`handles γ n`, n ≤ 2^27, where a
   clone begins); in the sources a clone that finds more stops its thread. *)
From iris.algebra Require Import auth frac numbers.
From iris.base_logic.lib Require Import invariants ghost_var.
From tierpool Require Export handle_code carrying.

Class handlesG Σ := HandlesG {
  handles_shareG :> inG Σ (authR (optionUR (prodR fracR positiveR)));
  handles_countG :> ghost_varG Σ nat;
}.
Definition handlesΣ : gFunctors := #[GFunctor (authR (optionUR (prodR fracR positiveR))); ghost_varΣ nat].
Global Instance subG_handlesΣ Σ : subG handlesΣ Σ → handlesG Σ.
Proof. solve_inG. Qed.

Record buffer_names := BufferNames { share_name : gname; count_name : gname }.

(* ---- the shares *)
Section shares.
  Context `{!handlesG Σ}.
  Implicit Types (γ : gname) (q : Qp) (n : positive).

  Definition shares γ (st : option (Qp * positive)) : iProp Σ :=
    own γ (● (st : optionUR (prodR fracR positiveR))).
  Definition share γ q : iProp Σ := own γ (◯ (Some (q, 1%positive) : optionUR (prodR fracR positiveR))).

  Lemma shares_alloc q : (q ≤ 1)%Qp → ⊢ |==> ∃ γ, shares γ (Some (q, 1%positive)) ∗ share γ q.
  Proof.
    intros Hq. iMod (own_alloc (● (Some (q, 1%positive)) ⋅ ◯ (Some (q, 1%positive) : optionUR (prodR fracR positiveR))))
      as (γ) "[H1 H2]"; [|by iExists γ; iFrame].
    apply auth_both_valid_discrete. split; [done|]. split; [by apply frac_valid|done].
  Qed.

  Lemma shares_none γ q : shares γ None -∗ share γ q -∗ False.
  Proof.
    iIntros "H1 H2". iDestruct (own_valid_2 with "H1 H2") as %[Hincl _]%auth_both_valid_discrete.
    by apply option_included in Hincl as [|(? & ? & ? & ? & _)].
  Qed.

  (* The only one has the sum of all. *)
  Lemma shares_one γ q q1 : shares γ (Some (q, 1%positive)) -∗ share γ q1 -∗ ⌜q1 = q⌝.
  Proof.
    iIntros "H1 H2". iDestruct (own_valid_2 with "H1 H2") as %[Hincl _]%auth_both_valid_discrete.
    iPureIntro. apply Some_included in Hincl as [[Heq%leibniz_equiv _]|Hincl]; [done|].
    apply pair_included in Hincl as [_ Hincl]. apply pos_included in Hincl. lia.
  Qed.

  Lemma shares_clone γ q q2 n : (q + q2 ≤ 1)%Qp →
    shares γ (Some (q, n)) ==∗ shares γ (Some ((q + q2)%Qp, (n + 1)%positive)) ∗ share γ q2.
  Proof.
    iIntros (Hq) "H". iMod (own_update with "H") as "[$ $]"; [|done].
    apply auth_update_alloc.
    replace (Some ((q + q2)%Qp, (n + 1)%positive)) with (Some (q2, 1%positive) ⋅ Some (q, n)).
    - set (z := Some (q2, 1%positive) : optionUR (prodR fracR positiveR)).
      assert ((Some (q, n), ε) ~l~> (z ⋅ Some (q, n), z ⋅ ε)) as Hupd.
      { apply op_local_update_discrete. intros _. rewrite /z -Some_op -pair_op.
        split; [|done]. simpl. rewrite frac_op comm_L. by apply frac_valid. }
      by rewrite right_id in Hupd.
    - rewrite -Some_op -pair_op frac_op pos_op_add. f_equal. f_equal; [by rewrite comm_L|lia].
  Qed.

  (* One of several goes. *)
  Lemma shares_drop γ q q1 n : shares γ (Some (q, (n + 1)%positive)) -∗ share γ q1 ==∗
    ∃ q2, ⌜q = (q1 + q2)%Qp⌝ ∗ shares γ (Some (q2, n)).
  Proof.
    iIntros "H1 H2". iDestruct (own_valid_2 with "H1 H2") as %[Hincl Hval]%auth_both_valid_discrete.
    assert (∃ q2, q = (q1 + q2)%Qp) as [q2 ->].
    { apply Some_included in Hincl as [[_ Heq%leibniz_equiv]|Hincl]; [simpl in Heq; lia|].
      apply pair_included in Hincl as [Hlt%frac_included _]. by apply Qp.lt_sum in Hlt. }
    iExists q2. iSplitR; [done|]. iApply (own_update_2 with "H1 H2"). apply auth_update_dealloc.
    replace (Some ((q1 + q2)%Qp, (n + 1)%positive)) with (Some (q1, 1%positive) ⋅ Some (q2, n)).
    - apply (cancel_local_update_unit (Some (q1, 1%positive))), _.
    - rewrite -Some_op -pair_op frac_op pos_op_add. do 2 f_equal. lia.
  Qed.

  (* The only one goes. *)
  Lemma shares_end γ q : shares γ (Some (q, 1%positive)) -∗ share γ q ==∗ shares γ None.
  Proof.
    iIntros "H1 H2". iApply (own_update_2 with "H1 H2"). apply auth_update_dealloc.
    rewrite -{1}(right_id None op (Some (q, 1%positive))).
    apply (cancel_local_update_unit (Some (q, 1%positive))), _.
  Qed.

  (* The only one changes its share. *)
  Lemma shares_change γ q q2 : (q2 ≤ 1)%Qp →
    shares γ (Some (q, 1%positive)) -∗ share γ q ==∗ shares γ (Some (q2, 1%positive)) ∗ share γ q2.
  Proof.
    iIntros (Hq) "H1 H2". iMod (shares_end with "H1 H2") as "H".
    iMod (own_update with "H") as "[$ $]"; [|done]. apply auth_update_alloc.
    apply alloc_option_local_update. split; [by apply frac_valid|done].
  Qed.
End shares.

(* ---- the bits of a state word *)

Lemma land_pow2 (a : Z) (k : Z) : (0 ≤ k)%Z → Z.land a (2 ^ k) = if Z.testbit a k then (2 ^ k)%Z else 0%Z.
Proof.
  intros Hk. apply Z.bits_inj'. intros j Hj. rewrite Z.land_spec Z.pow2_bits_eqb; [|done].
  destruct (Z.eqb_spec k j) as [->|Hne].
  - rewrite andb_true_r. destruct (Z.testbit a j) eqn:E; [by rewrite Z.pow2_bits_true|by rewrite Z.bits_0].
  - rewrite andb_false_r. destruct (Z.testbit a k); [rewrite Z.pow2_bits_false; done|by rewrite Z.bits_0].
Qed.

Section handles.
  Context `{!sizes, !heapGS Σ, !listG Σ, !handlesG Σ}.
  Context (wiping : bool). (* zero_on_free *)
  Implicit Types (γ : names) (γb : buffer_names) (h s p : loc) (i n k : nat) (q : Qp) (v : val).

  (* A pool's initial state: what it writes into the state word of a slot that it hands out. *)
  Definition initial_state : Z := if wiping then (UNIQUE_SLOT + WIPE)%Z else UNIQUE_SLOT.

  Lemma initial_state_count n : (n ≤ 2 ^ 27)%Z → Z.land (initial_state + n) COUNT = n.
  Proof.
    intros Hn. change COUNT with (Z.ones 28). rewrite Z.land_ones; [|done].
    assert (∃ c, initial_state = c * 2 ^ 28)%Z as [c ->] by (unfold initial_state; destruct wiping; [by exists 13%Z|by exists 12%Z]).
    rewrite Z.add_comm Z.mod_add; [|done]. apply Z.mod_small. change (2 ^ 27)%Z with 134217728%Z in Hn. lia.
  Qed.

  Lemma initial_state_no_overflow n : (n < 2 ^ 27)%Z → Z.land (initial_state + n) OVERFLOW = 0%Z.
  Proof.
    intros Hn. change OVERFLOW with (2 ^ 27)%Z. rewrite land_pow2; [|done].
    assert (Z.testbit (initial_state + n) 27 = false) as ->; [|done].
    apply Z.testbit_false; [done|].
    assert (∃ c, initial_state = (2 * c) * 2 ^ 27)%Z as [c ->] by (unfold initial_state; destruct wiping; [by exists 13%Z|by exists 12%Z]).
    rewrite (Z.add_comm _ n) Z.div_add; [|done]. rewrite Z.div_small; [|lia].
    rewrite Z.add_0_l Z.mul_comm. by apply Z.mod_mul.
  Qed.

  Lemma initial_state_count_0 : Z.land initial_state COUNT = 0%Z.
  Proof. unfold initial_state. by destruct wiping. Qed.

  Lemma initial_state_wipe : Z.land initial_state WIPE = if wiping then WIPE else 0%Z.
  Proof. unfold initial_state. by destruct wiping. Qed.

  Lemma initial_state_plain : initial_state = UNIQUE_SLOT → wiping = false.
  Proof. unfold initial_state. by destruct wiping. Qed.

  (* ---- a buffer: a slot that handles own *)

  Definition bufferN : namespace := nroot .@ "buffer".

  Definition payload p i q v : iProp Σ := (p +ₗ i) ↦{#q} v.

  (* How many handles there are: the users' half. *)
  Definition handles γb n : iProp Σ := ghost_var γb.(count_name) (1/2) n.

  Definition buffer_inv γ γb p i : iProp Σ := ∃ n, handles γb n ∗
    match n with
    | O => shares γb.(share_name) None
    | S k => ⌜(k ≤ 2 ^ 27)%Z⌝ ∗ word γ.(word_name) i (initial_state + k) ∗ ∃ q,
        shares γb.(share_name) (Some (q, Pos.of_succ_nat k)) ∗
        (⌜q = 1%Qp ∧ k = O⌝ ∨ ∃ q' v, ⌜(q + q' = 1)%Qp⌝ ∗ payload p i q' v)
    end.

  Definition is_buffer γ γb h s p i : iProp Σ := is_list γ h s ∗ inv bufferN (buffer_inv γ γb p i).

  (* Bytes: reads v, as all handles do. *)
  Definition handle γb p i v : iProp Σ := ∃ q, ⌜(q < 1)%Qp⌝ ∗ share γb.(share_name) q ∗ payload p i q v.

  (* BytesMut, or Bytes that have found themselves unique: the only handle. *)
  Definition unique γb p i v : iProp Σ := share γb.(share_name) 1 ∗ payload p i 1 v.

  Global Instance buffer_inv_timeless γ γb p i : Timeless (buffer_inv γ γb p i).
  Proof. apply bi.exist_timeless. intros [|k]; apply _. Qed.

  (* A slot that has been popped and marked is a buffer with one handle. *)
  Theorem buffer_alloc γ h s p i v E :
    is_list γ h s -∗ word γ.(word_name) i initial_state -∗ payload p i 1 v ={E}=∗
    ∃ γb, is_buffer γ γb h s p i ∗ handles γb 1 ∗ unique γb p i v.
  Proof.
    iIntros "#Hl Hw Hp". iMod (shares_alloc 1) as (γs) "[Hs Hone]"; [done|].
    iMod (ghost_var_alloc 1%nat) as (γc) "[Hc1 Hc2]".
    iExists (BufferNames γs γc). iFrame "Hl Hc2 Hone Hp". iApply inv_alloc. iNext. iExists 1%nat. iFrame "Hc1".
    rewrite Z.add_0_r. iFrame "Hw". iSplit; [done|]. iExists 1%Qp. iFrame "Hs". by iLeft.
  Qed.

  (* freeze *)
  Theorem freeze γ γb h s p i v E : ↑bufferN ⊆ E →
    is_buffer γ γb h s p i -∗ unique γb p i v ={E}=∗ handle γb p i v.
  Proof.
    iIntros (HE) "[_ #Hinv] [Hone Hp]". iInv "Hinv" as ([|k]) ">[Hc H]".
    { iDestruct (shares_none with "H Hone") as "[]". }
    iDestruct "H" as "(%Hk & Hw & %q & Hs & Hrest)".
    iAssert ⌜q = 1%Qp ∧ k = O⌝%I as %[-> ->].
    { iDestruct "Hrest" as "[$|(%q' & %v' & %Hq & Hp')]".
      iDestruct (mapsto_valid_2 with "Hp Hp'") as %[Hv _]. rewrite dfrac_op_own dfrac_valid_own in Hv.
      exfalso. by apply Qp.not_add_le_l in Hv. }
    iMod (shares_change _ _ (1/2) with "Hs Hone") as "[Hs Hone]"; [done|].
    iDestruct "Hp" as "[Hp1 Hp2]". iModIntro. iSplitL "Hc Hw Hs Hp1".
    - iNext. iExists 1%nat. iFrame. iSplit; [done|]. iExists _. iFrame. iRight. iExists _, _. iFrame.
      iPureIntro. apply Qp.div_2.
    - iModIntro. iExists _. by iFrame.
  Qed.

  (* A load or a swap of a word of a buffer's, within its invariant. *)
  Lemma handle_share γ γb p i q v : (q < 1)%Qp →
    buffer_inv γ γb p i -∗ share γb.(share_name) q -∗ payload p i q v -∗
    ∃ k, handles γb (S k) ∗ ⌜(k ≤ 2 ^ 27)%Z⌝ ∗ word γ.(word_name) i (initial_state + k) ∗ ∃ qs q', ⌜(qs + q' = 1)%Qp⌝ ∗
      shares γb.(share_name) (Some (qs, Pos.of_succ_nat k)) ∗ payload p i q' v ∗
      share γb.(share_name) q ∗ payload p i q v.
  Proof.
    iIntros (Hq) "(%n & Hc & H) Hone Hp". destruct n as [|k'].
    { iDestruct (shares_none with "H Hone") as "[]". }
    iDestruct "H" as "(%Hk & Hw & %qs & Hs & Hrest)". iExists k'. iFrame "Hc Hw". iSplit; [done|].
    iDestruct "Hrest" as "[[-> ->]|(%q' & %v' & %Hqs & Hp')]".
    { iDestruct (shares_one with "Hs Hone") as %->. by apply irreflexivity in Hq; [|apply _]. }
    iDestruct (mapsto_agree with "Hp Hp'") as %->. iExists qs, q'. by iFrame.
  Qed.

  Lemma share_back γ γb p i k qs q' v : (k ≤ 2 ^ 27)%Z → (qs + q' = 1)%Qp →
    handles γb (S k) -∗ word γ.(word_name) i (initial_state + k) -∗ shares γb.(share_name) (Some (qs, Pos.of_succ_nat k)) -∗
    payload p i q' v -∗ buffer_inv γ γb p i.
  Proof.
    iIntros (Hk Hqs) "Hc Hw Hs Hp". iExists (S k). iFrame "Hc Hw". iSplit; [done|]. iExists qs. iFrame "Hs".
    iRight. iExists q', v. by iFrame.
  Qed.

  (* ---- clone *)

  Theorem retain_spec γ γb h s p i v :
    is_buffer γ γb h s p i -∗ handle γb p i v -∗
    <<< ∀∀ n, handles γb n ∗ ⌜(n ≤ 2 ^ 27)%Z⌝ >>>
      retain #(s +ₗ i) @ ↑listN ∪ ↑bufferN
    <<< handles γb (S n) ∗ handle γb p i v ∗ handle γb p i v, RET #() >>>.
  Proof.
    iIntros "[#Hl #Hinv] (%q & %Hq & Hone & Hp)" (Φ) "AU". wp_lam.
    wp_bind (FAA _ _). iInv "Hinv" as ">H".
    iDestruct (handle_share with "H Hone Hp") as (k) "(Hc & %Hk & Hw & %qs & %q' & %Hqs & Hs & Hp' & Hone & Hp)"; [done..|].
    iMod (word_acc with "Hl Hw") as "(_ & Hz & Hclose)"; [solve_ndisj|].
    wp_faa.
    replace (initial_state + k + 1)%Z with (initial_state + S k)%Z by lia.
    iMod ("Hclose" with "Hz") as "Hw".
    iMod (fupd_mask_subseteq (⊤ ∖ (↑listN ∪ ↑bufferN))) as "Hmask"; [solve_ndisj|].
    iMod "AU" as (n) "[[Hn %Hn] [_ Hcommit]]".
    iDestruct (ghost_var_agree with "Hc Hn") as %<-.
    iMod (ghost_var_update_halves (S (S k)) with "Hc Hn") as "[Hc Hn]".
    iDestruct "Hp'" as "[Hp1 Hp2]".
    iMod (shares_clone _ _ (q' / 2) with "Hs") as "[Hs Hone2]".
    { rewrite -Hqs. apply Qp.add_le_mono_l. by apply Qp.div_le. }
    iMod ("Hcommit" with "[$Hn Hone Hp Hone2 Hp2]") as "HΦ".
    { iSplitL "Hone Hp"; [iExists q; by iFrame|]. iExists (q' / 2)%Qp. iFrame. iPureIntro.
      apply (Qp.lt_le_trans _ q'); [by apply Qp.div_lt|]. rewrite -Hqs. apply Qp.le_add_r. }
    iMod "Hmask" as "_". do 2 iModIntro. iSplitR "HΦ".
    { iNext. iApply (share_back _ _ _ _ (S k) (qs + q' / 2)%Qp (q' / 2)%Qp with "Hc Hw [Hs] Hp1").
      - lia.
      - by rewrite -assoc_L Qp.div_2.
      - by rewrite Pos.add_1_r. }
    wp_pures. rewrite initial_state_no_overflow; [|lia]. wp_pures. by iApply "HΦ".
  Qed.

  (* ---- drop *)

  (* The last one, and no other, is told to free, and gets the slot and all of the payload. *)
  Theorem let_go_spec γ γb h s p i v :
    is_buffer γ γb h s p i -∗ handle γb p i v -∗
    <<< ∀∀ n, handles γb n >>>
      let_go #(s +ₗ i) @ ↑listN ∪ ↑bufferN
    <<< handles γb (n - 1) ∗ if decide (n = 1%nat) then slot γ.(word_name) i ∗ payload p i 1 v else emp,
        RET if decide (n = 1%nat) then SOMEV #initial_state else NONEV >>>.
  Proof.
    iIntros "[#Hl #Hinv] (%q & %Hq & Hone & Hp)" (Φ) "AU". wp_lam.
    (* The load: the only one is done. *)
    wp_bind (! _)%E. iInv "Hinv" as ">H".
    iDestruct (handle_share with "H Hone Hp") as (k) "(Hc & %Hk & Hw & %qs & %q' & %Hqs & Hs & Hp' & Hone & Hp)"; [done..|].
    iMod (word_acc with "Hl Hw") as "(_ & Hz & Hclose)"; [solve_ndisj|].
    wp_load. iMod ("Hclose" with "Hz") as "Hw".
    destruct k as [|k].
    { iMod (fupd_mask_subseteq (⊤ ∖ (↑listN ∪ ↑bufferN))) as "Hmask"; [solve_ndisj|].
      iMod "AU" as (n) "[Hn [_ Hcommit]]". iDestruct (ghost_var_agree with "Hc Hn") as %<-.
      iMod (ghost_var_update_halves 0%nat with "Hc Hn") as "[Hc Hn]".
      iDestruct (shares_one with "Hs Hone") as %->. iMod (shares_end with "Hs Hone") as "Hs".
      iCombine "Hp Hp'" as "Hp". rewrite Hqs.
      iMod ("Hcommit" with "[$Hn Hw Hp]") as "HΦ".
      { simpl. iFrame "Hp". by iExists _. }
      iMod "Hmask" as "_". do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists 0%nat; by iFrame|].
      simpl. rewrite Z.add_0_r. wp_pures. case_bool_decide; wp_pures; [done|].
      wp_lam. wp_pures. rewrite initial_state_count_0. by wp_pures. }
    do 2 iModIntro. iSplitR "AU Hone Hp".
    { iNext. by iApply (share_back with "Hc Hw Hs Hp'"). }
    wp_pures. rewrite bool_decide_eq_false_2; last first.
    { unfold initial_state. intros [= Heq]. destruct wiping; unfold UNIQUE_SLOT, WIPE in *; lia. }
    wp_pures. wp_lam. wp_pures. rewrite initial_state_count; [|done]. wp_pures.
    clear dependent k qs q'.
    (* The subtraction. *)
    wp_bind (FAA _ _). iInv "Hinv" as ">H".
    iDestruct (handle_share with "H Hone Hp") as (k) "(Hc & %Hk & Hw & %qs & %q' & %Hqs & Hs & Hp' & Hone & Hp)"; [done..|].
    iMod (word_acc with "Hl Hw") as "(%Hi & Hz & Hclose)"; [solve_ndisj|].
    wp_faa. iMod ("Hclose" with "Hz") as "Hw".
    iMod (fupd_mask_subseteq (⊤ ∖ (↑listN ∪ ↑bufferN))) as "Hmask"; [solve_ndisj|].
    iMod "AU" as (n) "[Hn [_ Hcommit]]". iDestruct (ghost_var_agree with "Hc Hn") as %<-.
    destruct k as [|k].
    - (* The last one after all. *)
      iMod (ghost_var_update_halves 0%nat with "Hc Hn") as "[Hc Hn]".
      iDestruct (shares_one with "Hs Hone") as %->. iMod (shares_end with "Hs Hone") as "Hs".
      iCombine "Hp Hp'" as "Hp". rewrite Hqs.
      iMod ("Hcommit" with "[$Hn Hw Hp]") as "HΦ".
      { simpl. iFrame "Hp". by iExists _. }
      iMod "Hmask" as "_". do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists 0%nat; by iFrame|].
      simpl. wp_pures. rewrite initial_state_count; [|done]. wp_pures.
      rewrite Z.add_0_r. wp_bind (! _)%E.
      iApply (word_peek with "Hl"); [done|]. iIntros "!>" (z) "_". by wp_pures.
    - iMod (ghost_var_update_halves (S k) with "Hc Hn") as "[Hc Hn]".
      replace (Pos.of_succ_nat (S k)) with (Pos.of_succ_nat k + 1)%positive by lia.
      iMod (shares_drop with "Hs Hone") as (q2 ->) "Hs".
      iCombine "Hp Hp'" as "Hp".
      iMod ("Hcommit" with "[$Hn]") as "HΦ".
      iMod "Hmask" as "_". do 2 iModIntro. iSplitR "HΦ".
      { iNext. replace (initial_state + S k + -1)%Z with (initial_state + k)%Z by lia.
        iApply (share_back with "Hc Hw Hs Hp"); [lia|]. by rewrite assoc_L (comm_L _ q2 q). }
      simpl. wp_pures. rewrite initial_state_count; [|done]. by wp_pures.
  Qed.

  (* The whole drop. What is pushed carries its payload: zero where the pool wipes, so it has been wiped before the push. *)
  Definition carries p i : iProp Σ := ∃ v, payload p i 1 v ∗ ⌜wiping = true → v = #0⌝.

  Theorem drop_spec R γ γb h s p i v :
    {{{ is_pool (carries p) R γ h s ∗ is_buffer γ γb h s p i ∗ handle γb p i v ∗
        AU << ∃∃ n, handles γb n >> @ ⊤ ∖ (↑listN ∪ ↑bufferN), ∅ << handles γb (n - 1), COMM True >> }}}
      drop_handle #h #s #p #i
    {{{ (waited : bool), RET #waited; if waited then waiters R else emp }}}.
  Proof.
    iIntros (Φ) "(#Hpool & #Hbuf & Hh & AU) HΦ". wp_lam. wp_pures.
    awp_apply (let_go_spec with "Hbuf Hh"). iApply (aacc_aupd_commit with "AU"); [done|].
    iIntros (n) "Hn". iAaccIntro with "Hn"; [by iIntros "$ !> $"|]. iIntros "[$ H] !> _ !>".
    destruct (decide (n = 1%nat)) as [_|_]; wp_pures; [|by iApply "HΦ"].
    iDestruct "H" as "[Hslot Hp]". iDestruct (slot_from_to with "Hslot") as "Hslot".
    case_bool_decide as Hkind; wp_pures.
    { wp_apply (pool_free_chain _ _ _ _ _ [i] with "[$Hpool $Hslot Hp]"); [|done].
      simpl. iSplitL; [|done]. iExists v. iFrame. iPureIntro. intros Hwiping.
      rewrite initial_state_plain in Hwiping; [done|congruence]. }
    rewrite initial_state_wipe. unfold initial_state in Hkind. destruct wiping eqn:Hwiping; [|done].
    wp_pures. wp_store. wp_apply (pool_push_to_waiter _ _ _ _ _ [i] with "[$Hpool $Hslot Hp]"); [|done].
    simpl. iSplitL; [|done]. iExists #0. by iFrame.
  Qed.

  (* ---- make_mut *)

  (* It writes only while it is the only one: then all of the payload is the caller's. *)
  Theorem make_mut_spec γ γb h s p i v v' :
    {{{ is_buffer γ γb h s p i ∗ handle γb p i v }}}
      make_mut #s #p #i v'
    {{{ (b : bool), RET #b; if b then unique γb p i v' else handle γb p i v }}}.
  Proof.
    iIntros (Φ) "([#Hl #Hinv] & %q & %Hq & Hone & Hp) HΦ". wp_lam. wp_pures. wp_lam.
    wp_bind (! _)%E. iInv "Hinv" as ">H".
    iDestruct (handle_share with "H Hone Hp") as (k) "(Hc & %Hk & Hw & %qs & %q' & %Hqs & Hs & Hp' & Hone & Hp)"; [done..|].
    iMod (word_acc with "Hl Hw") as "(_ & Hz & Hclose)"; [solve_ndisj|].
    wp_load. iMod ("Hclose" with "Hz") as "Hw".
    destruct k as [|k].
    - iDestruct (shares_one with "Hs Hone") as %->.
      iMod (shares_change _ _ 1 with "Hs Hone") as "[Hs Hone]"; [done|].
      iCombine "Hp Hp'" as "Hp". rewrite Hqs. do 2 iModIntro. iSplitR "HΦ Hone Hp".
      { iNext. iExists 1%nat. iFrame "Hc Hw". iSplit; [done|]. iExists 1%Qp. iFrame. by iLeft. }
      wp_pures. rewrite initial_state_count; [|done]. wp_pures. wp_store. iModIntro. iApply "HΦ". by iFrame.
    - do 2 iModIntro. iSplitR "HΦ Hone Hp"; [iNext; by iApply (share_back with "Hc Hw Hs Hp'")|].
      wp_pures. rewrite initial_state_count; [|done]. wp_pures. iModIntro. iApply "HΦ". iExists q. by iFrame.
  Qed.
End handles.
