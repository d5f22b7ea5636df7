(* "Exhausted" about several lists is an answer about one moment.

     walk 1:  A empty ─── B empty ─── C empty ┐                 ┌ A empty ─── B empty ─── C empty   walk 2: the same sum
                                              └─ this moment ───┘                                   of the heads

   A walk finds each list empty at a moment of its own, and a slot may move meanwhile from a list that is yet to be looked at to
   one that has been. So lists are walked until two walks have found the same sum of heads. An empty list's head only
   rises: by a pop, or by an arm. So the sum is the same only if each head is, and a list that was empty twice under one tag was
   empty throughout. Heads of other lists stay out of the sum: a push makes a head smaller, which could hide that another one
   has risen. Sums wrap like tags: `overslept` again marks the runs in which the heads rise by a whole word between two walks. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export pop.

(* A list, and where it lies. *)
Record tier := Tier { tier_sizes : sizes; tier_head : loc; tier_states : loc }.

Section look.
  Context `{!sizes}.

  (* Rust:
        | pub(crate) fn head_now(&self) -> HeadWord {
      1 |     self.head.word.fetch_or(0, Release)
        | }
  *)
  (* Rust:
        | pub(crate) fn empty_now(&self) -> Option<HeadWord> {
      1 |     let head = self.head_now();
      2 |     (self.index(head) >= self.slots).then_some(head)
        | }
  *)
  (* A slot; or the head, which says that there is none. *)
  Definition look : val := rec: "look" "h" "s" :=
    match: pop "h" "s" with                                     (* 15 of `take_spilled` *)
      SOME "index" => InjR "index"
    | NONE =>
        let: "head" := !"h" in
        if: #N ≤ "head" `rem` #M then InjL "head" else "look" "h" "s" (* 17, 18 *)
    end.

  Context `{!heapGS Σ, !listG Σ}.

  Lemma look_spec γ (h s : loc) :
    is_list γ h s -∗
    <<< ∀∀ n t xs w, list_now γ n t xs w >>>
      look #h #s @ ↑listN
    <<< match xs with
        | [] => list_now γ n t [] w
        | x :: ys => list_now γ (S n) (S t) ys w ∗ £ 1 ∗ slot γ.(word_name) x
        end,
        RET match xs with [] => InjLV #(head_word t [] w) | x :: _ => InjRV #x end >>>.
  Proof.
    iIntros "#Hinv" (Φ) "AU". iLöb as "IH". wp_lam. wp_pures.
    awp_apply (pop_now_spec with "Hinv"). iApply (aacc_aupd with "AU"); [done|]. iIntros (n t xs w) "Hnow".
    iAaccIntro with "Hnow"; [by iIntros "$ !> $"|]. destruct xs as [|x ys]; iIntros "H !>".
    - iLeft. iFrame "H". iIntros "AU !>". wp_pures.
      wp_bind (! _)%E. iInv "Hinv" as (n2 t2 xs2 w2) ">(Hh & Hnow & Hch & Hs & %Hw)".
      iDestruct (index_facts _ _ _ _ w2 with "Hs Hch") as %(Hidx & Hfree & _).
      destruct xs2 as [|x2 xs2].
      + iMod "AU" as (n' t' xs' w') "[Hc [_ Hclose]]".
        iDestruct (list_now_agree with "Hnow Hc") as %(<- & <- & <- & <-).
        wp_load. iMod ("Hclose" with "Hc") as "HΦ".
        do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n2, t2, [], w2; by iFrame|].
        wp_pures. rewrite index_of_head; [|done]. wp_pures.
        rewrite bool_decide_eq_true_2; [|destruct w2; simpl; lia]. by wp_pures.
      + wp_load. iModIntro. iSplitR "AU"; [iNext; iExists n2, t2, (x2 :: xs2), w2; by iFrame|].
        wp_pures. rewrite index_of_head; [|done]. wp_pures.
        assert (first_or (x2 :: xs2) (empty_index w2) < N)%Z as Hlt by by apply Hfree.
        rewrite bool_decide_eq_false_2; [|simpl in *; lia]. wp_pures. by iApply "IH".
    - iRight. iFrame "H". iIntros "HΦ !>". by wp_pures.
  Qed.
End look.

Section code.
  Context (word : Z). (* how many values a head has *)

  (* Rust:
        | fn take_spilled(&self, fitting: &'static [Tier], align: usize, initial_state: u32) -> Option<(&'static StateWord, &'static Tier)> {
      1 |     let Some(first) = fitting.first() else {
      2 |         self.state.oversized.bump();
      3 |         return None;
        |     };
      4 |     if self.spill == 0 {
      5 |         Self::count_miss(first);
        |     } else {
      6 |         let may_serve = fitting.get(..=self.spill).unwrap_or(fitting);
      7 |         let (mut before, mut again) = (0, false);
      8 |         loop {
      9 |             let mut sum: HeadWord = 0;
     10 |             let mut rest = may_serve;
     11 |             while let [tier, larger @ ..] = rest {
     12 |                 rest = larger;
     13 |                 if tier.fits(0, align) {
     14 |                     let head = loop {
     15 |                         if let Some(state) = tier.take_out_of_line(initial_state) {
     16 |                             return Some((state, tier));
        |                         }
     17 |                         if let Some(head) = tier.list().empty_now() {
     18 |                             break head;
        |                         }
        |                     };
     19 |                     sum = sum.wrapping_add(head);
     20 |                     if !again {
     21 |                         Self::count_miss(tier);
        |                     }
        |                 }
        |             }
     22 |             if again && sum == before {
     23 |                 break;
        |             }
     24 |             (before, again) = (sum, true);
        |         }
        |     }
     25 |     self.state.exhausted.bump();
     26 |     None
        | }
  *)
  Definition same : val := λ: "before" "sum",
    if: "sum" `rem` #word = "before" `rem` #word                (* 22 *)
    then (if: "before" + #word ≤ "sum" then overslept #() else #true)
    else #false.

  Fixpoint walk_from (k : nat) (τs : list tier) : val :=
    match τs with
    | [] => (λ: "sum", InjL "sum")%V
    | τ :: τs => (λ: "sum",
        match: look (H := tier_sizes τ) #(tier_head τ) #(tier_states τ) with (* 14 to 18 *)
          InjL "head" => walk_from (S k) τs ("sum" + "head")    (* 19 *)
        | InjR "index" => InjR (#k, "index")
        end)%V
    end.

  Definition walk_again (τs : list tier) : val := rec: "again" "before" :=
    match: walk_from 0 τs #0 with                               (* 8 to 19 *)
      InjL "sum" => if: same "before" "sum" then NONE else "again" "sum" (* 22 to 24 *)
    | InjR "taken" => SOME "taken"
    end.

  Definition take (τs : list tier) : val := λ: <>,
    match: walk_from 0 τs #0 with InjL "sum" => walk_again τs "sum" | InjR "taken" => SOME "taken" end. (* the first of 8 to 24 *)
End code.

Section exhausted.
  Context `{!heapGS Σ, !listG Σ}.
  Context (word : Z) (word_pos : (0 < word)%Z).
  Implicit Types (γ : names) (m : moment) (ms : list moment).

  Definition lists (τs : list (tier * names)) : iProp Σ :=
    [∗ list] τ ∈ τs, is_list (H := tier_sizes τ.1) τ.2 (tier_head τ.1) (tier_states τ.1).

  (* What is on all lists now: the users' halves. *)
  Definition contents (τs : list (tier * names)) ms : iProp Σ :=
    [∗ list] τ;m ∈ τs;ms, ∃ n, now τ.2.(moment_name) n m.

  (* What has been on each, once. *)
  Definition once (τs : list (tier * names)) ms : iProp Σ :=
    [∗ list] τ;m ∈ τs;ms, ∃ n, was τ.2.(moment_name) n m.

  Global Instance once_persistent τs ms : Persistent (once τs ms).
  Proof. apply _. Qed.

  Lemma contents_once τs ms : contents τs ms -∗ once τs ms.
  Proof.
    iIntros "H". iApply (big_sepL2_impl with "H"). iIntros "!>" (k τ m _ _) "(%n & H)". iExists n. by iApply now_was.
  Qed.

  Lemma once_contents τs ms ms' : once τs ms -∗ contents τs ms' -∗ ⌜Forall2 leads_to ms ms'⌝.
  Proof.
    iIntros "H1 H2". iInduction τs as [|τ τs] "IH" forall (ms ms').
    - iDestruct (big_sepL2_nil_inv_l with "H1") as %->. iDestruct (big_sepL2_nil_inv_l with "H2") as %->. done.
    - iDestruct (big_sepL2_cons_inv_l with "H1") as (m ms1 ->) "[(%n & Hm) H1]".
      iDestruct (big_sepL2_cons_inv_l with "H2") as (m' ms2 ->) "[(%n' & Hm') H2]".
      iDestruct (was_now with "Hm Hm'") as %[_ Hleads]. iDestruct ("IH" with "H1 H2") as %Hall.
      iPureIntro. by constructor.
  Qed.

  Definition empty m : Prop := m_free m = [].

  Definition heads (τs : list (tier * names)) ms : Z :=
    foldr (λ p z, (head_word (H := tier_sizes p.1.1) (m_tag p.2) [] (m_waited p.2) + z)%Z) 0%Z (zip τs ms).

  (* An empty list's head only rises, and if it is the same, the list was empty in between. *)
  Lemma head_rises (τ : tier) m1 m2 m3 : leads_to m1 m2 → leads_to m2 m3 → empty m1 → empty m3 →
    (head_word (H := tier_sizes τ) (m_tag m1) [] (m_waited m1) ≤
     head_word (H := tier_sizes τ) (m_tag m3) [] (m_waited m3))%Z ∧
    (head_word (H := tier_sizes τ) (m_tag m1) [] (m_waited m1) =
     head_word (H := tier_sizes τ) (m_tag m3) [] (m_waited m3) → empty m2)%Z.
  Proof.
    unfold empty, head_word, empty_index. intros H12 H23 H1 H3.
    pose proof (@index_has_room (tier_sizes τ)) as Hroom.
    assert (leads_to m1 m3) as H13 by by etrans.
    assert (m_tag m1 < m_tag m3 → (m_tag m1 * @M (tier_sizes τ) + @M (tier_sizes τ) ≤
      m_tag m3 * @M (tier_sizes τ)))%Z as Hmore by nia.
    split.
    - destruct H13 as [Hlt|(Heq & _ & Hw)].
      + specialize (Hmore ltac:(lia)). destruct (m_waited m1), (m_waited m3); simpl in *; lia.
      + rewrite Heq. destruct (m_waited m1); [rewrite Hw; done || lia|]. destruct (m_waited m3); simpl in *; lia.
    - intros Hsame. assert (m_tag m1 = m_tag m3) as Htag.
      { destruct H13 as [Hlt|[Heq _]]; [|done]. specialize (Hmore ltac:(lia)).
        destruct (m_waited m1), (m_waited m3); simpl in *; lia. }
      destruct H12 as [?|[? _]], H23 as [?|(? & Hsuf & _)]; try lia.
      rewrite H3 in Hsuf. by apply suffix_nil_inv in Hsuf.
  Qed.

  Lemma heads_rise τs ms1 ms2 ms3 : length τs = length ms1 →
    Forall2 leads_to ms1 ms2 → Forall2 leads_to ms2 ms3 → Forall empty ms1 → Forall empty ms3 →
    (heads τs ms1 ≤ heads τs ms3)%Z ∧ (heads τs ms1 = heads τs ms3 → Forall empty ms2).
  Proof.
    revert ms1 ms2 ms3. induction τs as [|τ τs IH]; intros [|m1 ms1] ms2 ms3 Hlen H12 H23 H1 H3; simplify_eq/=.
    - inversion H12; subst. inversion H23; subst. done.
    - inversion H12 as [|? m2 ? ms2' L12 ?]; subst. inversion H23 as [|? m3 ? ms3' L23 ?]; subst.
      apply Forall_cons in H1 as [E1 H1]. apply Forall_cons in H3 as [E3 H3].
      destruct (head_rises τ.1 _ _ _ L12 L23 E1 E3) as [Hle Heq].
      destruct (IH ms1 ms2' ms3') as [Hle' Heq']; [done..|].
      unfold heads in *. simpl. split; [lia|]. intros Hsum. constructor; [apply Heq|apply Heq']; lia.
  Qed.

  (* What happens if a slot is taken: the top one of list k, at one moment. *)
  Definition taken τs ms (k x : nat) : iProp Σ := ∃ (τ : tier * names) t ys w,
    ⌜τs !! k = Some τ ∧ ms !! k = Some (Moment t (x :: ys) w)⌝ ∗
    contents τs (<[k := Moment (S t) ys w]> ms) ∗ £ 1 ∗ slot τ.2.(word_name) x.

  Definition may_take τs (Ψ : nat → nat → iProp Σ) : iProp Σ :=
    AU << ∃∃ ms, contents τs ms >> @ ⊤ ∖ ↑listN, ∅ << ∀∀ k x, taken τs ms k x, COMM Ψ k x >>.

  (* The rest of a walk, from list k on. *)
  Lemma walk_from_spec τs k prior Ψ (sum : Z) :
    {{{ lists τs ∗ may_take τs Ψ ∗ once (drop k τs) prior }}}
      walk_from k (drop k τs).*1 #sum
    {{{ v, RET v;
        (∃ ms, ⌜v = InjLV #(sum + heads (drop k τs) ms)%Z ∧ length (drop k τs) = length ms ∧
                Forall2 leads_to prior ms ∧ Forall empty ms⌝ ∗
          once (drop k τs) ms ∗ may_take τs Ψ) ∨
        (∃ k x : nat, ⌜v = InjRV (#k, #x)⌝ ∗ Ψ k x) }}}.
  Proof.
    iIntros (Φ) "(#Hlists & AU & #Honce) HΦ".
    remember (drop k τs) as rest eqn:Hrest.
    iInduction rest as [|[τ γ] rest] "IH" forall (k prior sum Hrest).
    { iDestruct (big_sepL2_nil_inv_l with "Honce") as %->. wp_lam. wp_pures. iModIntro. iApply "HΦ". iLeft. iExists [].
      rewrite /heads /= Z.add_0_r. iFrame. iSplit; [done|]. by iApply big_sepL2_nil. }
    iDestruct (big_sepL2_cons_inv_l with "Honce") as (m0 prior' ->) "[(%n0 & Hm0) Hrest]".
    assert (τs !! k = Some (τ, γ)) as Hk.
    { rewrite -(Nat.add_0_r k) -lookup_drop -Hrest. done. }
    assert (rest = drop (S k) τs) as Hrest'.
    { rewrite -Nat.add_1_r -drop_drop -Hrest. done. }
    simpl. wp_lam.
    iAssert (is_list (H := tier_sizes τ) γ (tier_head τ) (tier_states τ)) as "Hlist".
    { iApply (big_sepL_lookup _ _ _ _ Hk with "Hlists"). }
    awp_apply (look_spec (H := tier_sizes τ) with "Hlist").
    iApply (aacc_aupd with "AU"); [done|]. iIntros (ms) "Hc".
    iDestruct (big_sepL2_length with "Hc") as %Hlen.
    destruct (lookup_lt_is_Some_2 ms k) as [m Hm].
    { rewrite -Hlen. by eapply lookup_lt_Some. }
    iDestruct (big_sepL2_insert_acc with "Hc") as "[(%n & Hnow) Hc]"; [done|done|].
    destruct m as [t xs w].
    iDestruct (was_now with "Hm0 Hnow") as %[_ Hleads].
    iAssert (was γ.(moment_name) n (Moment t xs w)) as "#Hwas"; [by iApply now_was|].
    iAaccIntro with "Hnow".
    { iIntros "Hnow !>". iSplitR "HΦ"; [|by iIntros "$"].
      iSpecialize ("Hc" $! (τ, γ) (Moment t xs w) with "[Hnow]"); [by iExists n|].
      by rewrite list_insert_id // list_insert_id. }
    destruct xs as [|x ys]; iIntros "Hnow !>".
    - iLeft. iSplitL "Hnow Hc".
      { iSpecialize ("Hc" $! (τ, γ) (Moment t [] w) with "[Hnow]"); [by iExists n|].
        by rewrite list_insert_id // list_insert_id. }
      iIntros "AU !>". wp_pures. iApply ("IH" with "[//] Hrest AU"). iIntros "!>" (v) "[H|H]"; iApply "HΦ"; [iLeft|by iRight].
      iDestruct "H" as (ms') "((-> & %Hlen' & %Hall & %Hempty) & #Honce' & AU)".
      iExists (Moment t [] w :: ms'). iFrame "AU". iSplit.
      { iPureIntro. split_and!; [|simpl; lia|by constructor|by constructor].
        unfold heads. simpl. do 3 f_equal. lia. }
      iApply big_sepL2_cons. iFrame "Honce'". by iExists n.
    - iDestruct "Hnow" as "(Hnow & Hlc & Hslot)". iRight. iExists k, x. iSplitR "HΦ".
      { iExists (τ, γ), t, ys, w. iSplit; [done|]. iFrame "Hlc Hslot".
        iSpecialize ("Hc" $! (τ, γ) (Moment (S t) ys w) with "[Hnow]"); [by iExists _|].
        by rewrite (list_insert_id τs). }
      iIntros "HΨ !>". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame.
  Qed.

  (* What somebody knows who can see all lists at any moment: Q, should they all be empty then. *)
  Definition may_look τs (Q : iProp Σ) : iProp Σ :=
    □ |={⊤,∅}=> ∃ ms, contents τs ms ∗ (contents τs ms ={∅,⊤}=∗ if decide (Forall empty ms) then Q else True).

  Lemma look_at_all τs Q : may_look τs Q ={⊤}=∗ ∃ ms, once τs ms ∗ if decide (Forall empty ms) then Q else True.
  Proof.
    iIntros "#Hlook". iMod "Hlook" as (ms) "[Hc Hclose]".
    iDestruct (contents_once with "Hc") as "#Honce". iMod ("Hclose" with "Hc") as "H". iModIntro. iExists ms. by iFrame.
  Qed.

  (* A slot is taken at one moment, or at one moment of the call all lists were empty. *)
  Theorem take_spec τs Ψ Q :
    {{{ lists τs ∗ may_take τs Ψ ∗ may_look τs Q }}}
      take word τs.*1 #()
    {{{ v, RET v; (⌜v = NONEV⌝ ∗ Q ∗ may_take τs Ψ) ∨ (∃ k x : nat, ⌜v = SOMEV (#k, #x)⌝ ∗ Ψ k x) }}}.
  Proof.
    iIntros (Φ) "(#Hlists & AU & #Hlook) HΦ".
    iMod (look_at_all with "Hlook") as (ms0) "[#Honce0 _]". wp_lam.
    wp_apply (walk_from_spec τs 0 ms0 with "[$Hlists $AU $Honce0]").
    iIntros (v) "[H|H]"; last first.
    { iDestruct "H" as (k x) "[-> HΨ]". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame. }
    iDestruct "H" as (ms1) "((-> & %Hlen & _ & %Hempty1) & #Honce1 & AU)". wp_pures.
    rewrite Z.add_0_l drop_0. simpl in Hlen.
    iLöb as "IH" forall (ms1 Hlen Hempty1) "Honce1". wp_lam.
    (* The moment. *)
    iApply fupd_wp. iMod "Hlook" as (ms2) "[Hc Hclose]".
    iDestruct (once_contents with "Honce1 Hc") as %H12.
    iDestruct (contents_once with "Hc") as "#Honce2". iMod ("Hclose" with "Hc") as "HQ". iModIntro.
    wp_apply (walk_from_spec τs 0 ms2 with "[$Hlists $AU $Honce2]").
    iIntros (v) "[H|H]"; last first.
    { iDestruct "H" as (k x) "[-> HΨ]". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame. }
    iDestruct "H" as (ms3) "((-> & %Hlen3 & %H23 & %Hempty3) & #Honce3 & AU)". wp_pures.
    rewrite Z.add_0_l drop_0. simpl in Hlen3.
    destruct (heads_rise τs ms1 ms2 ms3) as [Hle Hsame]; [done..|].
    wp_lam. wp_pures.
    destruct (decide ((heads τs ms3 `rem` word)%Z = (heads τs ms1 `rem` word)%Z)) as [Heq|Hne]; last first.
    { rewrite bool_decide_eq_false_2; [|congruence]. wp_pures. iApply ("IH" with "[//] [//] HΦ AU Honce3"). }
    rewrite bool_decide_eq_true_2; [|congruence]. wp_pures.
    destruct (decide (heads τs ms1 + word ≤ heads τs ms3)%Z) as [Hslept|Hawake].
    { rewrite bool_decide_eq_true_2; [|done]. wp_pures. wp_apply overslept_spec. }
    rewrite bool_decide_eq_false_2; [|done]. wp_pures.
    rewrite decide_True.
    { iModIntro. iApply "HΦ". iLeft. by iFrame. }
    apply Hsame.
    assert (0 ≤ heads τs ms1)%Z as Hpos.
    { clear. unfold heads. generalize (zip τs ms1) as l. induction l as [|[[τ γ] m] l IH]; simpl; [done|].
      assert (∀ (H : sizes) t w, 0 ≤ head_word t [] w)%Z as Hpos.
      { intros ? t w. unfold head_word, empty_index. destruct w; simpl; nia. }
      specialize (Hpos (tier_sizes τ) (m_tag m) (m_waited m)). lia. }
    rewrite !Z.rem_mod_nonneg in Heq; [|lia..].
    assert (word ≠ 0)%Z as Hword by lia.
    pose proof (Z.div_mod (heads τs ms1) word Hword).
    pose proof (Z.div_mod (heads τs ms3) word Hword) as E3. rewrite Heq in E3.
    set (q1 := (heads τs ms1 `div` word)%Z) in *. set (q3 := (heads τs ms3 `div` word)%Z) in *.
    assert (q1 = q3) as Hq by nia. nia.
  Qed.
End exhausted.
