(* pop_chain takes the top slots of the list, at most as many as asked, at one moment.

     load head: tag t, slot i ... walk: i ─► y1 ─► y2 ................ swap: head is still (t, i)
                └─ while the tag is t, the walk is along the list ─┘   so these are the top slots

   Once the tag has moved, the walk reads what is no link, and may go anywhere: but each index is compared with N before it is
   followed, so it stays among the words; and then the swap fails. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export pop.

Section pop_chain.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (n t i : nat) (xs ys : list nat) (w : bool).

  (* Where a walk is that began at the top of xs under tag t: `count` slots further; or, the tag having moved, at any index. *)
  Definition walked γ t xs (count : nat) (next : Z) : iProp Σ :=
    ⌜next = first_or (drop count xs) N ∧ (count ≤ length xs)%nat⌝ ∨
    past γ t ∗ ⌜(0 ≤ next < M)%Z ∧ (1 ≤ count)%nat⌝.

  Global Instance walked_persistent γ t xs count next : Persistent (walked γ t xs count next).
  Proof. apply _. Qed.

  Lemma seen_drop γ t i j ys zs count : drop count (i :: ys) = j :: zs → seen γ t i ys -∗ seen γ t j zs.
  Proof.
    iIntros (Hdrop) "(%n & %xs & %w & Hwas & %Hsuf)". iExists n, xs, w. iFrame. iPureIntro.
    etrans; [|exact Hsuf]. rewrite -Hdrop. exists (take count (i :: ys)). by rewrite take_drop.
  Qed.

  Lemma walk_spec γ h s t i ys (count most : nat) (next : Z) :
    (count ≤ most)%nat → Forall (λ y, y < N)%nat (i :: ys) →
    {{{ is_list γ h s ∗ seen γ t i ys ∗ walked γ t (i :: ys) count next }}}
      walk #s #next #count #most
    {{{ (count' : nat) (next' : Z), RET (#next', #count');
        walked γ t (i :: ys) count' next' ∗ ⌜(count' ≤ most)%nat ∧ (count' = most ∨ (N ≤ next')%Z)⌝ }}}.
  Proof.
    pose proof index_has_room.
    iIntros (Hmost Hall Φ) "(#Hinv & #Hseen & #Hwalked) HΦ".
    iLöb as "IH" forall (count next Hmost) "Hwalked". wp_lam. wp_pures.
    destruct (decide (N ≤ next)%Z) as [Hend|Hnext].
    { rewrite bool_decide_eq_true_2; [|done]. wp_pures. iApply "HΦ". iFrame "Hwalked". auto. }
    rewrite bool_decide_eq_false_2; [|done]. wp_pures.
    destruct (decide (most ≤ count)%Z) as [Hstop|Hmore].
    { rewrite bool_decide_eq_true_2; [|done]. wp_pures. iApply "HΦ". iFrame "Hwalked".
      iPureIntro. split; [done|]. left. lia. }
    rewrite bool_decide_eq_false_2; [|done]. wp_pures.
    iAssert (⌜0 ≤ next⌝)%Z%I as %Hpos.
    { iDestruct "Hwalked" as "[[-> _]|[_ %]]"; iPureIntro; [|lia].
      destruct (drop count (i :: ys)); simpl; lia. }
    assert (∃ j : nat, next = j) as [j ->] by (exists (Z.to_nat next); lia).
    (* The load of a link: current, or the tag has moved. *)
    wp_bind (! _)%E. iInv "Hinv" as (n2 t2 xs2 w2) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iAssert (∃ z : Z, (s +ₗ j) ↦ #z ∗
      □ walked γ t (i :: ys) (S count) (((j + (M + 1) + link_of z) `rem` M + M) `rem` M) ∗
      ((s +ₗ j) ↦ #z ==∗ list_now γ n2 t2 xs2 w2 ∗ chain γ.(word_name) xs2 N ∗ words γ.(word_name) s))%I
      with "[Hnow Hch Hs]" as (z) "(Hj & #Hwalked' & Hback)".
    { iDestruct "Hwalked" as "[[%Hj _]|[Hpast _]]"; last first.
      { iDestruct (words_read _ _ j with "Hs") as (z) "[Hz Hback]"; [lia|].
        iExists z. iFrame "Hz". iSplit; [|iIntros "Hz !>"; iFrame; by iApply "Hback"].
        iIntros "!>". iRight. iFrame "Hpast". iPureIntro. split; [apply masked_bound|lia]. }
      destruct (drop count (i :: ys)) as [|j' zs] eqn:Hdrop; simpl in Hj; [lia|].
      apply Nat2Z.inj in Hj as <-.
      iDestruct (seen_drop with "Hseen") as "#Hseen'"; [done|].
      iDestruct (seen_link with "Hseen' Hnow Hch Hs") as (z) "(Hz & #Hlink & Hback)"; [lia|].
      iExists z. iFrame "Hz Hback". iDestruct "Hlink" as "[%Hlink|Hpast]"; iIntros "!>"; last first.
      { iRight. iFrame "Hpast". iPureIntro. split; [apply masked_bound|lia]. }
      iLeft. iPureIntro. rewrite Hlink.
      replace (j + (M + 1) + (first_or zs N - j - 1))%Z with (first_or zs N + M)%Z by lia.
      rewrite masked_index.
      - rewrite -Nat.add_1_r -drop_drop Hdrop. split; [done|].
        apply (f_equal length) in Hdrop. rewrite drop_length /= in Hdrop. simpl. lia.
      - destruct zs as [|k zs]; simpl; [lia|]. assert (k < N)%nat; [|lia].
        rewrite Forall_forall in Hall. apply Hall. rewrite -(take_drop count (i :: ys)) Hdrop. set_solver. }
    wp_load. iMod ("Hback" with "Hj") as "(Hnow & Hch & Hs)".
    iModIntro. iSplitR "HΦ"; [iNext; iExists n2, t2, xs2, w2; by iFrame|].
    wp_apply link_spec; [done|]. iIntros "_". wp_pures.
    replace (count + 1)%Z with (Z.of_nat (S count)) by lia.
    iApply ("IH" with "[%] HΦ"); [lia|]. iFrame "Hwalked'".
  Qed.

  (* As pop_chain_spec below, with what was asked for first. *)
  Lemma pop_chain_bound γ h s (most bound : nat) : (0 < most ≤ bound)%nat →
    is_list γ h s -∗
    <<< ∀∀ xs w, content γ xs w >>>
      pop_chain #h #s #most @ ↑listN
    <<< ∃∃ k : nat, content γ (drop k xs) w ∗ £ 1 ∗ chain γ.(word_name) (take k xs) (first_or (drop k xs) N) ∗
          ⌜(0 < k ≤ bound)%nat⌝,
        RET match xs with [] => NONEV | x :: _ => SOMEV (#x, #(length (take k xs))) end >>>.
  Proof.
    pose proof index_has_room.
    iIntros (Hmost) "#Hinv". iIntros (Φ) "AU". iLöb as "IH" forall (most Hmost).
    wp_lam. wp_pure credit:"Hlc". wp_pures.
    (* The load of the head. *)
    wp_bind (! _)%E. iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iDestruct (index_facts _ _ _ _ w with "Hs Hch") as %(Hidx & Hfree & _).
    destruct xs as [|i ys].
    { iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
      iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
      wp_load. iMod ("Hclose" $! most with "[Hc Hlc]") as "HΦ".
      { rewrite drop_nil take_nil /=. iFrame "Hlc". iSplitL; [by iExists _, _|done]. }
      do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, [], w; by iFrame|].
      wp_pures. rewrite index_of_head; [|done]. wp_pures. wp_lam. wp_pures.
      rewrite bool_decide_eq_true_2; [|destruct w; simpl; lia]. by wp_pures. }
    wp_load. iDestruct (now_seen with "Hnow") as "#Hseen".
    iAssert (⌜Forall (λ x, x < N)%nat (i :: ys)⌝)%I as %Hall.
    { iApply (words_slots_bound with "Hs"). by iApply chain_slots. }
    iModIntro. iSplitR "AU Hlc"; [iNext; iExists n, t, (i :: ys), w; by iFrame|].
    assert (i < N)%nat as Hi by by inversion Hall.
    rewrite /head_word /=. clear Hidx Hfree Hw w.
    wp_pures. rewrite index_of_head; [|lia]. wp_pures.
    (* The walk. *)
    wp_apply (walk_spec _ _ _ t i ys 0 most i with "[$Hinv $Hseen]"); [lia|done|iLeft; by auto with lia|].
    iIntros (count next) "[#Hwalked [%Hcount %Hstop]]". wp_pures.
    iAssert (⌜1 ≤ count⌝)%nat%I as %Hpos.
    { iDestruct "Hwalked" as "[[-> _]|[_ [_ $]]]". iPureIntro.
      destruct count; [|lia]. simpl in Hstop. lia. }
    rewrite bool_decide_eq_false_2; [|intros [= ?]; lia]. wp_pures.
    (* The swap. *)
    awp_apply swap_weak_spec. iInv "Hinv" as (n3 t3 xs3 w3) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iAaccIntro with "Hh".
    { iIntros "Hh !>". iSplitR "AU Hlc"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. by iFrame. }
    iIntros (b) "[Hh %Hb]". destruct b; last first.
    { iModIntro. iSplitR "AU Hlc"; [iNext; iExists n3, t3, xs3, w3; by iFrame|]. wp_pures.
      assert (most - most `quot` 2 = (most - most / 2)%nat)%Z as ->.
      { rewrite Z.quot_div_nonneg; [|lia..]. rewrite Nat2Z.inj_sub ?Nat2Z.inj_div; [done|].
        apply Nat.div_le_upper_bound; lia. }
      iApply ("IH" with "[%] AU"). pose proof (Nat.div_lt most 2). lia. }
    destruct (Hb eq_refl) as [Heq Hawake]. specialize (Hawake eq_refl).
    iDestruct (swap_seen with "Hseen Hnow Hch Hs") as %[-> ->]; [done..|].
    iDestruct "Hwalked" as "[[-> %Hlen]|[Hpast _]]"; last by iDestruct (past_now with "Hpast Hnow") as "[]".
    (* All that the walk was to take, or all there is. *)
    assert (drop count (i :: ys) = drop most (i :: ys) ∧ take count (i :: ys) = take most (i :: ys) ∧
      count = length (take most (i :: ys))) as (Hdrop & Htake & Hlength).
    { destruct Hstop as [->|Hend]; [rewrite take_length; split_and!; [done|done|lia]|].
      assert (length (i :: ys) ≤ count)%nat as Hge.
      { destruct (drop count (i :: ys)) as [|d ds] eqn:Hd; simpl in Hend.
        - apply (f_equal length) in Hd. rewrite drop_length in Hd. simpl in *. lia.
        - assert (d < N)%nat; [|lia]. rewrite Forall_forall in Hall. apply Hall.
          rewrite -(take_drop count (i :: ys)) Hd. set_solver. }
      rewrite !drop_ge ?take_ge; [|lia..]. split_and!; [done|done|lia]. }
    rewrite Hdrop.
    iMod "AU" as (xs' w') "[Hc [_ Hclose]]".
    iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "(Hnow & Hc)".
    iMod (content_step _ _ _ _ _ _ (drop most (i :: ys)) w3 (popped_leads_to t _ _ _ _) with "Hnow [Hc]") as "[Hnow Hc]";
      [by iExists _, _|].
    iEval (rewrite -(take_drop most (i :: ys))) in "Hch".
    iDestruct (chain_app with "Hch") as "[Htaken Hch]".
    iMod ("Hclose" $! most with "[$Hc $Hlc $Htaken //]") as "HΦ". iModIntro. iSplitR "HΦ".
    { iNext. iExists _, (S t), (drop most (i :: ys)), w3. iFrame "Hnow Hch Hs". destruct w3; [by discriminate Hw|].
      iSplit; [|done]. iApply (points_to_eq with "Hh"). unfold head_word. simpl. lia. }
    wp_pures. by rewrite -Hlength.
  Qed.

  (* The top slots, with the links that lead from one to the next: `most` of them, or all, or fewer where swaps have failed; but
     one at least. *)
  Theorem pop_chain_spec γ h s (most : nat) : (0 < most)%nat →
    is_list γ h s -∗
    <<< ∀∀ xs w, content γ xs w >>>
      pop_chain #h #s #most @ ↑listN
    <<< ∃∃ k : nat, content γ (drop k xs) w ∗ £ 1 ∗ chain γ.(word_name) (take k xs) (first_or (drop k xs) N) ∗
          ⌜(0 < k ≤ most)%nat⌝,
        RET match xs with [] => NONEV | x :: _ => SOMEV (#x, #(length (take k xs))) end >>>.
  Proof. intros Hmost. apply pop_chain_bound. lia. Qed.
End pop_chain.
