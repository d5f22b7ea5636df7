(* arm: true, and from now on somebody waits, if the list is empty at that moment.

     EMPTY ──arm──► EMPTY_WAITED ──arm──► EMPTY_WAITED         swapped again, so that the push sees this waiter's writes, too
       ▲                 │
       └── pop of the ── first push, which is told (push.v)
           slot *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export list.

Section arm.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (n t : nat) (xs : list nat) (w : bool).

  Theorem arm_spec γ h s :
    is_list γ h s -∗
    <<< ∀∀ xs w, content γ xs w >>>
      arm #h @ ↑listN
    <<< content γ xs match xs with [] => true | _ => w end,
        RET #(match xs with [] => true | _ => false end : bool) >>>.
  Proof.
    iIntros "#Hinv" (Φ) "AU". iLöb as "IH". wp_lam. wp_pures.
    wp_bind (! _)%E. iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & Hfree & _).
    destruct xs as [|x xs]; last first.
    { iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
      iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
      wp_load. iMod ("Hclose" with "[Hc]") as "HΦ"; [by iExists _, _|].
      do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, (x :: xs), w; by iFrame|].
      wp_pures. rewrite index_of_head; [|done]. wp_pures.
      rewrite bool_decide_eq_true_2; [|by apply Hfree]. by wp_pures. }
    wp_load. iModIntro. iSplitR "AU"; [iNext; iExists n, t, [], w; by iFrame|].
    rewrite /head_word. simpl in *. wp_pures. rewrite index_of_head; [|done]. wp_pures.
    rewrite bool_decide_eq_false_2; [|naive_solver]. wp_pures.
    (* The swap. *)
    awp_apply swap_weak_spec. iInv "Hinv" as (n3 t3 xs3 w3) ">(Hh & Hnow & Hch & Hs & %Hw3)".
    iAaccIntro with "Hh".
    { iIntros "Hh !>". iSplitR "AU"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. by iFrame. }
    iIntros (b) "[Hh %Hb]". destruct b; last first.
    { iModIntro. iSplitR "AU"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. wp_pures. by iApply "IH". }
    destruct (Hb eq_refl) as [Heq _].
    iDestruct (index_facts _ _ _ _ w3 with "Hs Hch") as %(Hidx3 & Hfree3 & _).
    apply same_index in Heq; [|done|done].
    assert (xs3 = []) as ->.
    { destruct xs3; [done|]. exfalso. assert (empty_index w < N)%Z; [|naive_solver].
      rewrite -Heq. by apply Hfree3. }
    iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
    iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
    iMod (content_step _ _ _ _ _ _ _ true (pushed_leads_to t3 [] [] w3 true (λ _ _, eq_refl)) with "Hnow [Hc]") as "[Hnow Hc]";
      [by iExists _, _|].
    iMod ("Hclose" with "[$Hc]") as "HΦ". iModIntro. iSplitR "HΦ"; [|by wp_pures].
    iNext. iExists _, t3, [], true. iFrame "Hnow Hch Hs". iSplit; [|done].
    iApply (points_to_eq with "Hh"). unfold head_word. simpl in *. lia.
  Qed.
End arm.
