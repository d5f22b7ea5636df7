(* What holds of a list at every moment.

     heap    head ─► top slot ─► slot below ─► ... ─► N            all state words
     ghost   the moment now: tag, slots on the list, does anybody wait     the right to write the words of these slots

   `content` is the users' half of the moment now: what each operation's specification speaks about. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export code moments words.

Class listG Σ := ListG { list_wordsG :> wordsG Σ; list_momentsG :> momentsG Σ }.
Definition listΣ : gFunctors := #[wordsΣ; momentsΣ].
Global Instance subG_listΣ Σ : subG listΣ Σ → listG Σ.
Proof. solve_inG. Qed.

Record names := Names { word_name : gname; moment_name : gname }.

Definition listN : namespace := nroot .@ "list".

Section list.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (n t i : nat) (xs ys : list nat) (w : bool).

  Definition list_now γ n t xs w : iProp Σ := now γ.(moment_name) n (Moment t xs w).

  (* What is on the list, top first, and whether somebody waits. *)
  Definition content γ xs w : iProp Σ := ∃ n t, list_now γ n t xs w.

  Definition list_inv γ h s : iProp Σ := ∃ n t xs w,
    h ↦ #(head_word t xs w) ∗ list_now γ n t xs w ∗ chain γ.(word_name) xs N ∗ words γ.(word_name) s ∗
    ⌜w = true → xs = []⌝.

  Definition is_list γ h s : iProp Σ := inv listN (list_inv γ h s).

  Global Instance content_timeless γ xs w : Timeless (content γ xs w).
  Proof. apply _. Qed.
  Global Instance list_inv_timeless γ h s : Timeless (list_inv γ h s).
  Proof. apply _. Qed.
  Global Instance is_list_persistent γ h s : Persistent (is_list γ h s).
  Proof. apply _. Qed.

  Lemma points_to_eq h (z1 z2 : Z) : z1 = z2 → h ↦ #z1 -∗ h ↦ #z2.
  Proof. intros ->. by iIntros. Qed.

  Lemma content_agree γ n t xs1 w1 xs2 w2 :
    list_now γ n t xs1 w1 -∗ content γ xs2 w2 -∗ ⌜xs1 = xs2 ∧ w1 = w2⌝ ∗ list_now γ n t xs1 w1 ∗ list_now γ n t xs1 w1.
  Proof.
    iIntros "H1 (%n' & %t' & H2)". iDestruct (now_agree with "H1 H2") as %[<- [= <- <- <-]]. by iFrame.
  Qed.

  Lemma list_now_agree γ n1 t1 xs1 w1 n2 t2 xs2 w2 :
    list_now γ n1 t1 xs1 w1 -∗ list_now γ n2 t2 xs2 w2 -∗ ⌜n1 = n2 ∧ t1 = t2 ∧ xs1 = xs2 ∧ w1 = w2⌝.
  Proof. iIntros "H1 H2". iDestruct (now_agree with "H1 H2") as %[<- [= <- <- <-]]. done. Qed.

  Lemma list_now_step γ n t xs w t' xs' w' :
    leads_to (Moment t xs w) (Moment t' xs' w') →
    list_now γ n t xs w -∗ list_now γ n t xs w ==∗ list_now γ (S n) t' xs' w' ∗ list_now γ (S n) t' xs' w'.
  Proof. intros Hleads. by apply now_update. Qed.

  (* One step of the list: a push or an arm keeps the tag and what lies below, a pop moves the tag. *)
  Lemma content_step γ n t xs w t' xs' w' :
    leads_to (Moment t xs w) (Moment t' xs' w') →
    list_now γ n t xs w -∗ content γ xs w ==∗ list_now γ (S n) t' xs' w' ∗ content γ xs' w'.
  Proof.
    iIntros (Hleads) "H1 H2". iDestruct (content_agree with "H1 H2") as "(_ & H1 & H2)".
    iMod (list_now_step _ _ _ _ _ _ _ _ Hleads with "H1 H2") as "[$ H2]". iModIntro. by iExists _, _.
  Qed.

  Lemma pushed_leads_to t cs xs w w' : (w = true → cs ++ xs = [] → w' = true) →
    leads_to (Moment t xs w) (Moment t (cs ++ xs) w').
  Proof. intros Hw. right. split; [done|]. split; [by eexists|done]. Qed.

  Lemma popped_leads_to t xs ys w w' : leads_to (Moment t xs w) (Moment (S t) ys w').
  Proof. left. simpl. lia. Qed.

  (* ---- what a popper knows *)

  (* The list has had tag t, and slot i with ys below it at its end. *)
  Definition seen γ t i ys : iProp Σ := ∃ n xs w, was γ.(moment_name) n (Moment t xs w) ∗ ⌜(i :: ys) `suffix_of` xs⌝.

  (* The tag has moved past t. *)
  Definition past γ t : iProp Σ := ∃ n m, was γ.(moment_name) n m ∗ ⌜(t < m_tag m)%nat⌝.

  Global Instance seen_persistent γ t i ys : Persistent (seen γ t i ys).
  Proof. apply _. Qed.
  Global Instance past_persistent γ t : Persistent (past γ t).
  Proof. apply _. Qed.

  Lemma now_seen γ n t i ys w : list_now γ n t (i :: ys) w -∗ seen γ t i ys.
  Proof. iIntros "H". iExists n, (i :: ys), w. iSplit; [by iApply now_was|done]. Qed.

  (* Under the same tag it is still so; otherwise the tag has moved for good. *)
  Lemma seen_now γ n t t' i ys xs w :
    seen γ t i ys -∗ list_now γ n t' xs w -∗ ⌜(t ≤ t')%nat⌝ ∗ (⌜t' = t ∧ (i :: ys) `suffix_of` xs⌝ ∨ past γ t).
  Proof.
    iIntros "(%m & %xs' & %w' & Hwas & %Hsuf) Hnow".
    iDestruct (was_now with "Hwas Hnow") as %[_ [Hlt|(Heq & Hsuf' & _)]]; simpl in *.
    - iSplit; [iPureIntro; lia|]. iRight. iExists _, _. iSplit; [by iApply now_was|done].
    - iSplit; [iPureIntro; lia|]. iLeft. iPureIntro. split; [done|]. by etrans.
  Qed.

  Lemma past_now γ n t xs w : past γ t -∗ list_now γ n t xs w -∗ False.
  Proof.
    iIntros "(%m & %a & Hwas & %Hlt) Hnow".
    iDestruct (was_now with "Hwas Hnow") as %[_ [?|[? _]]]; simpl in *; lia.
  Qed.

  (* ---- a slot's word: its owner stores, adds and swaps, one at a time; anybody loads *)

  Theorem word_acc γ h s i z E : ↑listN ⊆ E →
    is_list γ h s -∗ word γ.(word_name) i z ={E, E ∖ ↑listN}=∗
      ⌜(i < N)%nat⌝ ∗ (s +ₗ i) ↦ #z ∗
      (∀ z' : Z, (s +ₗ i) ↦ #z' ={E ∖ ↑listN, E}=∗ word γ.(word_name) i z').
  Proof.
    iIntros (HE) "Hinv Hi". iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & Hw)" "Hclose".
    iDestruct (words_own with "Hs Hi") as "($ & $ & Hs)".
    iIntros "!>" (z') "Hz". iMod ("Hs" with "Hz") as "[Hs $]".
    iApply "Hclose". iNext. iExists n, t, xs, w. iFrame.
  Qed.

  (* Anybody may load any state word at any time. *)
  Theorem word_peek γ h s i : (i < N)%nat →
    {{{ is_list γ h s }}} ! #(s +ₗ i) {{{ (z : Z), RET #z; True }}}.
  Proof.
    iIntros (Hi Φ) "#Hinv HΦ". iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & Hw)".
    iDestruct (words_read _ _ i with "Hs") as (z) "[Hz Hback]"; [done|].
    wp_load. iDestruct ("Hback" with "Hz") as "Hs".
    iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, xs, w; by iFrame|]. by iApply "HΦ".
  Qed.

  Lemma slot_bound γ h s i E : ↑listN ⊆ E →
    is_list γ h s -∗ slot γ.(word_name) i ={E}=∗ slot γ.(word_name) i ∗ ⌜(i < N)%nat⌝.
  Proof.
    iIntros (HE) "Hinv (%z & Hi)". iMod (word_acc with "Hinv Hi") as "(%Hi & Hz & Hclose)"; [done|].
    iMod ("Hclose" with "Hz") as "Hi". iModIntro. iSplitL; [by iExists _|done].
  Qed.

  (* ---- the start: zeroed memory is the full list in order *)

  Theorem list_alloc h s E :
    h ↦ #0 -∗ s ↦∗ replicate N #0 ={E}=∗ ∃ γ, is_list γ h s ∗ content γ (seq 0 N) false.
  Proof.
    iIntros "Hh Hs". iMod (words_alloc with "Hs") as (γw) "[Hs Hw]".
    iMod (now_alloc (Moment 0 (seq 0 N) false)) as (γm) "[H1 H2]".
    iExists (Names γw γm). iSplitR "H2"; [|by iModIntro; iExists _, _].
    iApply inv_alloc. iNext. iExists 0, 0, (seq 0 N), false. iFrame "H1 Hs".
    iSplitL "Hh"; [|iSplitL; [by iApply chain_zeros|done]].
    iApply (points_to_eq with "Hh"). unfold head_word, empty_index.
    assert (∀ k, first_or (seq 0 k) k = 0%Z) as -> by by intros []. lia.
  Qed.

  (* ---- the end: nothing is lost *)

  (* Slots on the list and slots that somebody owns are slots, and no two of them are the same. *)
  Theorem list_disjoint γ h s xs w ys E : ↑listN ⊆ E →
    is_list γ h s -∗ content γ xs w -∗ ([∗ list] y ∈ ys, slot γ.(word_name) y) ={E}=∗
    content γ xs w ∗ ([∗ list] y ∈ ys, slot γ.(word_name) y) ∗ ⌜NoDup (xs ++ ys) ∧ Forall (λ x, x < N)%nat (xs ++ ys)⌝.
  Proof.
    iIntros (HE) "Hinv Hc Hys".
    iInv "Hinv" as (n t xs' w') ">(Hh & Hnow & Hch & Hs & Hw)".
    iDestruct (content_agree with "Hnow Hc") as ([-> ->]) "(Hnow & Hc)".
    iAssert (⌜NoDup (xs ++ ys) ∧ Forall (λ x, x < N)%nat (xs ++ ys)⌝)%I as %Hpure.
    { iDestruct (chain_slots with "Hch") as "Hxs".
      iAssert ([∗ list] x ∈ xs ++ ys, slot γ.(word_name) x)%I with "[Hxs Hys]" as "H".
      { rewrite big_sepL_app. iFrame. }
      iSplit; [iApply (slots_NoDup with "H")|iApply (words_slots_bound with "Hs H")]. }
    iModIntro. iSplitR "Hc Hys"; [iNext; iExists n, t, xs, w; iFrame|]. iModIntro. iFrame "Hys".
    iSplit; [by iExists _, _|done].
  Qed.

  (* None is lost: as many as there are, on the list or owned, are all. *)
  Theorem list_complete γ h s xs w ys E : ↑listN ⊆ E → (N ≤ length xs + length ys)%nat →
    is_list γ h s -∗ content γ xs w -∗ ([∗ list] y ∈ ys, slot γ.(word_name) y) ={E}=∗
    content γ xs w ∗ ([∗ list] y ∈ ys, slot γ.(word_name) y) ∗ ⌜xs ++ ys ≡ₚ seq 0 N⌝.
  Proof.
    iIntros (HE Hlen) "Hinv Hc Hys".
    iMod (list_disjoint with "Hinv Hc Hys") as "($ & $ & %Hnd & %Hall)"; [done|].
    iPureIntro. apply submseteq_Permutation_length_le.
    - rewrite seq_length app_length. lia.
    - apply NoDup_submseteq; [done|]. intros x Hx. rewrite Forall_forall in Hall.
      apply elem_of_seq. specialize (Hall x Hx). lia.
  Qed.
End list.
