(* pop takes the head of the list, or finds it empty, at one moment.

     load head: tag t, slot i ... load link of i ............. swap: head is still (t, i)
                └─ the list ends with i, ys while the tag is t ─┘   so the link was that of i to ys

   A link that is read when the tag has moved is garbage, but then the swap fails: for the machine's tag, unless the popper
   has slept through W pops. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export list.

Section pop.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (n t i : nat) (xs ys : list nat) (w : bool).

  (* The link of slot i as a popper reads it who has seen i on the list: it leads to what lies below, or the tag has moved. *)
  Lemma seen_link γ s n t t' i ys xs w : (i < N)%nat →
    seen γ t i ys -∗ list_now γ n t' xs w -∗ chain γ.(word_name) xs N -∗ words γ.(word_name) s -∗
    ∃ z : Z, (s +ₗ i) ↦ #z ∗ □ (⌜link_of z = (first_or ys N - i - 1)%Z⌝ ∨ past γ t) ∗
      ((s +ₗ i) ↦ #z ==∗ list_now γ n t' xs w ∗ chain γ.(word_name) xs N ∗ words γ.(word_name) s).
  Proof.
    iIntros (Hi) "#Hseen Hnow Hch Hs".
    iDestruct (seen_now with "Hseen Hnow") as "#(_ & [[-> %Hsuf]|Hpast])".
    - destruct Hsuf as [front ->]. iDestruct (chain_app with "Hch") as "(Hfront & (%z & Hi & %Hlink) & Hys)".
      iDestruct (words_own with "Hs Hi") as "(_ & Hz & Hback)". iExists z. iFrame "Hz".
      iSplit; [iIntros "!>"; iLeft; iPureIntro; apply Hlink|].
      iIntros "Hz". iMod ("Hback" with "Hz") as "[$ Hi]". iModIntro. iFrame "Hnow".
      iApply chain_app. simpl. iFrame. iExists z. by iFrame.
    - iDestruct (words_read _ _ i with "Hs") as (z) "[Hz Hback]"; [done|].
      iExists z. iFrame "Hz". iSplit; [iIntros "!>"; by iRight|].
      iIntros "Hz !>". iFrame. by iApply "Hback".
  Qed.

  (* A popper's swap that has succeeded: the list is what has been seen. *)
  Lemma swap_seen γ s n t t3 i ys xs w :
    (i < N)%nat →
    ((head_word t3 xs w) `rem` WM = (t * M + i) `rem` WM)%Z → (head_word t3 xs w < t * M + i + WM)%Z →
    seen γ t i ys -∗ list_now γ n t3 xs w -∗ chain γ.(word_name) xs N -∗ words γ.(word_name) s -∗
    ⌜t3 = t ∧ xs = i :: ys⌝.
  Proof.
    pose proof index_has_room. iIntros (Hi Heq Hawake) "#Hseen Hnow Hch Hs".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & _ & _).
    iDestruct (chain_NoDup with "Hch") as %Hnd.
    iDestruct (seen_now with "Hseen Hnow") as "#(%Hle & Hcase)".
    assert (t = t3) as <- by (apply (same_tag t t3 i (first_or xs (empty_index w))); [lia|done|done|done|done]).
    iDestruct "Hcase" as "[[_ %Hsuf]|Hpast]"; last by iDestruct (past_now with "Hpast Hnow") as "[]".
    iPureIntro. split; [done|]. eapply suffix_top; [done|done|].
    eapply (same_index t t); [done|lia|done].
  Qed.

  (* As pop_spec below, where it matters which moment it is. *)
  Lemma pop_now_spec γ h s :
    is_list γ h s -∗
    <<< ∀∀ n t xs w, list_now γ n t xs w >>>
      pop #h #s @ ↑listN
    <<< match xs with
        | [] => list_now γ n t [] w
        | x :: ys => list_now γ (S n) (S t) ys w ∗ £ 1 ∗ slot γ.(word_name) x
        end,
        RET match xs with [] => NONEV | x :: _ => SOMEV #x end >>>.
  Proof.
    pose proof index_has_room.
    iIntros "#Hinv" (Φ) "AU". iLöb as "IH". wp_lam. wp_pure credit:"Hlc". wp_pures.
    (* The load of the head: an empty list decides it; else what is seen is noted. *)
    wp_bind (! _)%E. iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & _ & _).
    destruct xs as [|i ys].
    { iMod "AU" as (n' t' xs' w') "[Hc [_ Hclose]]".
      iDestruct (list_now_agree with "Hnow Hc") as %(<- & <- & <- & <-).
      wp_load. iMod ("Hclose" with "Hc") as "HΦ".
      do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, [], w; by iFrame|].
      wp_pures. rewrite index_of_head; [|done]. wp_pures.
      rewrite bool_decide_eq_true_2; [|destruct w; simpl; lia]. by wp_pures. }
    wp_load. iDestruct (now_seen with "Hnow") as "#Hseen".
    iAssert (⌜(i < N)%nat⌝)%I as %Hi.
    { iDestruct "Hch" as "[(%z & Hi & _) _]". iApply (words_bound with "Hs Hi"). }
    iModIntro. iSplitR "AU Hlc"; [iNext; iExists n, t, (i :: ys), w; by iFrame|].
    rewrite /head_word /=. clear Hidx Hw w.
    wp_pures. rewrite index_of_head; [|lia]. wp_pures. rewrite bool_decide_eq_false_2; [|lia]. wp_pures.
    (* The load of the link. *)
    wp_bind (! _)%E. iInv "Hinv" as (n2 t2 xs2 w2) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (seen_link with "Hseen Hnow Hch Hs") as (z) "(Hz & #Hlink & Hback)"; [done|].
    wp_load. iMod ("Hback" with "Hz") as "(Hnow & Hch & Hs)".
    iModIntro. iSplitR "AU Hlc"; [iNext; iExists n2, t2, xs2, w2; by iFrame|].
    clear Hw w2 xs2 t2. wp_apply link_spec; [done|]. iIntros "_". wp_pures.
    (* The swap. *)
    awp_apply swap_weak_spec. iInv "Hinv" as (n3 t3 xs3 w3) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iAaccIntro with "Hh".
    { iIntros "Hh !>". iSplitR "AU Hlc"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. by iFrame. }
    iIntros (b) "[Hh %Hb]". destruct b; last first.
    { iModIntro. iSplitR "AU Hlc"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. wp_pures. by iApply "IH". }
    destruct (Hb eq_refl) as [Heq Hawake]. specialize (Hawake eq_refl).
    iDestruct (swap_seen with "Hseen Hnow Hch Hs") as %[-> ->]; [done..|].
    iDestruct "Hlink" as "[%Hlink|Hpast]"; last by iDestruct (past_now with "Hpast Hnow") as "[]".
    iMod "AU" as (n' t' xs' w') "[Hc [_ Hclose]]".
    iDestruct (list_now_agree with "Hnow Hc") as %(<- & <- & <- & <-).
    iMod (list_now_step _ _ _ _ _ _ ys w3 (popped_leads_to t _ ys _ _) with "Hnow Hc") as "[Hnow Hc]".
    iDestruct "Hch" as "[Hi Hch]". iDestruct (linked_slot with "Hi") as "Hi".
    iMod ("Hclose" with "[$Hc $Hlc $Hi]") as "HΦ". iModIntro. iSplitR "HΦ".
    { iNext. iExists _, (S t), ys, w3. iFrame "Hnow Hch Hs". destruct w3; [by discriminate Hw|]. iSplit; [|done].
      iApply (points_to_eq with "Hh"). rewrite Hlink. unfold head_word. simpl. lia. }
    by wp_pures.
  Qed.

  (* The top slot; none only if the list is empty at that moment. (The credit lets a caller strip the later from what its own
     invariant holds.) *)
  Theorem pop_spec γ h s :
    is_list γ h s -∗
    <<< ∀∀ xs w, content γ xs w >>>
      pop #h #s @ ↑listN
    <<< content γ (tail xs) w ∗ match xs with [] => emp | x :: _ => £ 1 ∗ slot γ.(word_name) x end,
        RET match xs with [] => NONEV | x :: _ => SOMEV #x end >>>.
  Proof.
    iIntros "#Hinv" (Φ) "AU". awp_apply (pop_now_spec with "Hinv").
    iApply (aacc_aupd_commit with "AU"); [done|]. iIntros (xs w) "(%n & %t & Hc)".
    iAaccIntro with "Hc"; [iIntros "Hc !>"; iSplitL; [by iExists _, _|by iIntros "$"]|].
    iIntros "Hc !>". destruct xs as [|x xs].
    - iSplitL; [iSplitL; [by iExists _, _|done]|]. iIntros "HΦ !>". iApply "HΦ".
    - iDestruct "Hc" as "[Hc $]". iSplitL; [by iExists _, _|]. iIntros "HΦ !>". iApply "HΦ".
  Qed.
End pop.
