(* push and push_to_waiter put a chain on top of the list at one moment; no push passes an armed list unnoticed.

     free      push: nobody waits ─► pushed
                └── somebody waits, nothing is done ─► push_to_waiter ─► pushed, and tells that it has ended a wait

   Only the index of the head counts for a push, so it is right whatever the tag does meanwhile. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export list.

Section push.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (n t i : nat) (xs ys cs : list nat) (w : bool).

  (* Someone's own chain, whose first slot and last slot are these. *)
  Definition chain_from_to γ cs (first last : nat) : iProp Σ :=
    loose γ.(word_name) cs ∗ ⌜head cs = Some first ∧ list.last cs = Some last⌝.

  Lemma slot_from_to γ i : slot γ.(word_name) i -∗ chain_from_to γ [i] i i.
  Proof. iIntros "H". iSplit; [by iApply slot_loose|done]. Qed.

  Lemma from_to_slot γ i : chain_from_to γ [i] i i -∗ slot γ.(word_name) i.
  Proof. iIntros "[H _]". by iApply loose_slot. Qed.

  (* The store of the last link. *)
  Lemma set_free_spec γ h s cs (first last : nat) (below : Z) : (0 ≤ below ≤ N)%Z →
    {{{ is_list γ h s ∗ chain_from_to γ cs first last }}}
      set_free #(s +ₗ last) #(below - last - 1)
    {{{ RET #(); chain γ.(word_name) cs below ∗ ⌜head cs = Some first ∧ list.last cs = Some last⌝ }}}.
  Proof.
    iIntros (Hbelow Φ) "(#Hinv & Hcs & %Hends) HΦ". wp_lam. wp_pures.
    iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (loose_store with "Hs Hcs") as (z) "(Hz & _ & Hback)"; [apply Hends|].
    wp_store. iMod ("Hback" with "[//] Hz") as "[Hs Hcs]".
    iModIntro. iSplitR "HΦ Hcs"; [iNext; iExists n, t, xs, w; by iFrame|]. iApply "HΦ". by iFrame.
  Qed.

  (* The chain is on top: the new head. *)
  Lemma head_pushed h cs (first : nat) t xs (top : Z) w : head cs = Some first →
    first_or xs (empty_index w) = top →
    h ↦ #(head_word t xs w + (first - top)) -∗ h ↦ #(head_word t (cs ++ xs) false).
  Proof.
    iIntros (Hfirst Htop) "H". iApply (points_to_eq with "H"). unfold head_word.
    destruct cs as [|c cs]; simplify_eq/=. lia.
  Qed.

  Lemma chain_back γ cs below (first last : nat) : head cs = Some first → list.last cs = Some last →
    chain γ.(word_name) cs below -∗ chain_from_to γ cs first last.
  Proof.
    iIntros (Hfirst Hlast) "H". iSplit; [|done]. destruct cs; [done|]. by iApply (chain_loose with "H").
  Qed.

  (* Where somebody waits, nothing is done. *)
  Theorem push_spec γ h s cs (first last : nat) :
    is_list γ h s -∗ chain_from_to γ cs first last -∗
    <<< ∀∀ xs w, content γ xs w >>>
      push #h #s #first #last @ ↑listN
    <<< if w then content γ xs w ∗ chain_from_to γ cs first last else content γ (cs ++ xs) w,
        RET #(negb w) >>>.
  Proof.
    iIntros "#Hinv Hcs" (Φ) "AU". iLöb as "IH". wp_lam. wp_pures.
    (* The load of the head: where somebody waits, that decides it. *)
    wp_bind (! _)%E. iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & _ & Hwaits).
    rewrite /head_word. remember (first_or xs (empty_index w)) as top eqn:Htop.
    destruct (decide (N < top)%Z) as [Hlt|Hge].
    { destruct (proj1 Hwaits Hlt) as [-> ->].
      iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
      iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
      wp_load. iMod ("Hclose" with "[Hc $Hcs]") as "HΦ"; [by iExists _, _|].
      do 2 iModIntro. iSplitR "HΦ".
      { iNext. iExists n, t, [], true. iFrame. rewrite /head_word -Htop. by iFrame. }
      wp_pures. rewrite index_of_head; [|done]. wp_pures.
      rewrite bool_decide_eq_true_2; [|done]. by wp_pures. }
    wp_load. iModIntro. iSplitR "AU Hcs".
    { iNext. iExists n, t, xs, w. iFrame. rewrite /head_word -Htop. by iFrame. }
    clear Hwaits Htop Hw xs w. wp_pures. rewrite index_of_head; [|done]. wp_pures.
    rewrite bool_decide_eq_false_2; [|done]. wp_pures.
    wp_apply (set_free_spec with "[$Hinv $Hcs]"); [lia|]. iIntros "[Hcs %Hends]". destruct Hends as [Hfirst Hlast].
    wp_pures.
    (* The swap. *)
    awp_apply swap_weak_spec. iInv "Hinv" as (n3 t3 xs3 w3) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iAaccIntro with "Hh".
    { iIntros "Hh !>". iSplitR "AU Hcs"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. by iFrame. }
    iIntros (b) "[Hh %Hb]". destruct b; last first.
    { iModIntro. iSplitR "AU Hcs"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. wp_pures.
      iApply ("IH" with "[Hcs]"); [by iApply (chain_back with "Hcs")|done]. }
    destruct (Hb eq_refl) as [Heq _].
    iDestruct (index_facts _ _ _ _ w3 with "Hs Hch") as %(Hidx3 & _ & Hwaits).
    apply same_index in Heq; [|done|done].
    assert (w3 = false) as ->.
    { destruct w3; [|done]. destruct (Hw eq_refl). exfalso. apply Hge. rewrite -Heq. by apply Hwaits. }
    assert (false = true → cs ++ xs3 = [] → false = true) as Hleads by done.
    iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
    iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
    iMod (content_step _ _ _ _ _ _ _ false (pushed_leads_to t3 cs xs3 _ _ Hleads) with "Hnow [Hc]") as "[Hnow Hc]";
      [by iExists _, _|].
    iMod ("Hclose" with "Hc") as "HΦ". iModIntro. iSplitR "HΦ"; [|by wp_pures].
    iNext. iExists _, t3, (cs ++ xs3), false. iFrame "Hnow Hs".
    iSplitL "Hh"; [by iApply (head_pushed with "Hh")|]. iSplitL; [|done].
    iApply chain_app. rewrite -Heq /=. iFrame.
  Qed.

  (* Whether somebody waits or not; tells whether somebody did. *)
  Theorem push_to_waiter_spec γ h s cs (first last : nat) :
    is_list γ h s -∗ chain_from_to γ cs first last -∗
    <<< ∀∀ xs w, content γ xs w >>>
      push_to_waiter #h #s #first #last @ ↑listN
    <<< content γ (cs ++ xs) false ∗ £ 1, RET #w >>>.
  Proof.
    iIntros "#Hinv Hcs" (Φ) "AU". iLöb as "IH". wp_lam. wp_pure credit:"Hlc". wp_pures.
    (* The load of the head. *)
    wp_bind (! _)%E. iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & _ & _).
    rewrite /head_word. remember (first_or xs (empty_index w)) as top eqn:Htop.
    wp_load. iModIntro. iSplitR "AU Hlc Hcs".
    { iNext. iExists n, t, xs, w. iFrame. rewrite /head_word -Htop. by iFrame. }
    clear Htop Hw xs w. wp_pures. rewrite index_of_head; [|done]. wp_pures.
    (* The end of the list is N, whether somebody waits or not. *)
    set (below := if decide (N < top)%Z then Z.of_nat N else top).
    assert (0 ≤ below ≤ N)%Z as Hbelow by (rewrite /below; destruct (decide _); lia).
    wp_bind (if: _ then _ else _)%E.
    iApply (wp_wand _ _ _ (λ v, ⌜v = #below⌝)%I).
    { rewrite /below. destruct (decide _).
      - rewrite bool_decide_eq_true_2; [|done]. by wp_pures.
      - rewrite bool_decide_eq_false_2; [|done]. by wp_pures. }
    iIntros (v ->). wp_lam. wp_pures.
    wp_apply (set_free_spec with "[$Hinv $Hcs]"); [done|]. iIntros "[Hcs %Hends]". destruct Hends as [Hfirst Hlast].
    wp_pures.
    (* The swap. *)
    awp_apply swap_weak_spec. iInv "Hinv" as (n3 t3 xs3 w3) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iAaccIntro with "Hh".
    { iIntros "Hh !>". iSplitR "AU Hlc Hcs"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. by iFrame. }
    iIntros (b) "[Hh %Hb]". destruct b; last first.
    { iModIntro. iSplitR "AU Hlc Hcs"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. wp_pures.
      iApply ("IH" with "[Hcs]"); [by iApply (chain_back with "Hcs")|done]. }
    destruct (Hb eq_refl) as [Heq _].
    iDestruct (index_facts _ _ _ _ w3 with "Hs Hch") as %(Hidx3 & _ & Hwaits).
    apply same_index in Heq; [|done|done].
    assert (below = first_or xs3 N ∧ bool_decide (N < top)%Z = w3) as [Hend Hret].
    { rewrite /below. rewrite Heq in Hwaits. destruct (decide _) as [Hlt|Hge].
      - destruct (proj1 Hwaits Hlt) as [-> ->]. split; [done|by apply bool_decide_eq_true_2].
      - assert (w3 = false) as ->; [|split; [by rewrite -Heq|by apply bool_decide_eq_false_2]].
        destruct w3; [|done]. exfalso. apply Hge, Hwaits. split; [by apply Hw|done]. }
    assert (w3 = true → cs ++ xs3 = [] → false = true) as Hleads by (intros _ [-> _]%app_nil; discriminate Hfirst).
    iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
    iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
    iMod (content_step _ _ _ _ _ _ _ false (pushed_leads_to t3 cs xs3 _ _ Hleads) with "Hnow [Hc]") as "[Hnow Hc]";
      [by iExists _, _|].
    iMod ("Hclose" with "[$Hc $Hlc]") as "HΦ". iModIntro. iSplitR "HΦ"; [|wp_pures; by rewrite Hret].
    iNext. iExists _, t3, (cs ++ xs3), false. iFrame "Hnow Hs".
    iSplitL "Hh"; [by iApply (head_pushed with "Hh")|]. iSplitL; [|done].
    iApply chain_app. rewrite -Hend /=. iFrame.
  Qed.

  (* A free: no push passes an armed list unnoticed. True: the caller calls the hook. (The credit: as in pop.) *)
  Theorem free_spec γ h s cs (first last : nat) :
    is_list γ h s -∗ chain_from_to γ cs first last -∗
    <<< ∀∀ xs w, content γ xs w >>>
      free #h #s #first #last @ ↑listN
    <<< content γ (cs ++ xs) false ∗ £ 1, RET #w >>>.
  Proof.
    iIntros "#Hinv Hcs" (Φ) "AU". wp_lam. wp_pure credit:"Hlc". wp_pures.
    awp_apply (push_spec with "Hinv Hcs").
    iApply (aacc_aupd with "AU"); [done|]. iIntros (xs w) "Hc". iAaccIntro with "Hc"; [by iIntros "$ !> $"|].
    destruct w.
    - iIntros "[Hc Hcs]". iLeft. iFrame "Hc". iIntros "!> AU !>". wp_pures.
      awp_apply (push_to_waiter_spec with "Hinv Hcs").
      iApply (aacc_aupd_commit with "AU"); [done|]. iIntros (xs' w') "Hc".
      iAaccIntro with "Hc"; [by iIntros "$ !> $"|]. iIntros "$ !> HΦ !>". iApply "HΦ".
    - iIntros "Hc". iRight. iFrame "Hc Hlc". iIntros "!> HΦ !>". by wp_pures.
  Qed.
End push.
