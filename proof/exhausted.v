(* "Exhausted" about several lists is an answer about one moment.

     walk 1:  pop A, tag A ─── pop B, tag B ───┐                 ┌── pop A, tag A ─── pop B, tag B    walk 2: none of them has a
                                               └─ this moment ───┘                                    slot, the same sum of tags

   A walk finds each list empty at a moment of its own, and a slot may move meanwhile from a list that is yet to be looked at to
   one that has been. So lists are walked until two walks have found the same sum of tags. Tags only rise, so the sum is the
   same only if each is; and a list whose tag has not moved has been empty from the first look at its tag to the second pop.

   The index must stay out of the sum: a push makes a head smaller, which could hide that another one has risen. Sums wrap
   as tags do: `overslept` again marks the runs in which the heads rise by a whole word between two walks. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export pop.

(* A list, and where it lies. *)
Record tier := Tier { tier_sizes : sizes; tier_head : loc; tier_states : loc }.

Section code.
  Context (word : Z). (* how many values a head has *)

  Definition same : val := λ: "before" "sum",
    if: "sum" `rem` #word = "before" `rem` #word
    then (if: "before" + #word ≤ "sum" then overslept #() else #true)
    else #false.

  Fixpoint walk_from (k : nat) (τs : list tier) : val :=
    match τs with
    | [] => (λ: "sum", InjL "sum")%V
    | τ :: τs => (λ: "sum",
        match: pop (H := tier_sizes τ) #(tier_head τ) #(tier_states τ) with
          NONE =>
            let: "head" := !#(tier_head τ) in
            walk_from (S k) τs ("sum" + ("head" - "head" `rem` #(M (sizes := tier_sizes τ))))
        | SOME "index" => InjR (#k, "index")
        end)%V
    end.

  Definition walk_again (τs : list tier) : val := rec: "again" "before" :=
    match: walk_from 0 τs #0 with
      InjL "sum" => if: same "before" "sum" then NONE else "again" "sum"
    | InjR "taken" => SOME "taken"
    end.

  Definition take (τs : list tier) : val := λ: <>,
    match: walk_from 0 τs #0 with InjL "sum" => walk_again τs "sum" | InjR "taken" => SOME "taken" end.
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

  Definition tag_word (τ : tier * names) m : Z := (m_tag m * M (sizes := tier_sizes τ.1))%Z.

  Definition tags (τs : list (tier * names)) ms : Z := foldr (λ p z, (tag_word p.1 p.2 + z)%Z) 0%Z (zip τs ms).

  (* From a to b, and empty in between. *)
  Definition found_empty a b : Prop := ∃ e, leads_to a e ∧ empty e ∧ leads_to e b.

  Lemma leads_to_tag a b : leads_to a b → (m_tag a ≤ m_tag b)%nat.
  Proof. intros [?|[? _]]; lia. Qed.

  (* A tag only rises; and if it has not, the list was empty before it was found so. *)
  Lemma tag_rises τ m1 m2 m3 : leads_to m1 m2 → found_empty m2 m3 →
    (tag_word τ m1 ≤ tag_word τ m3)%Z ∧ (tag_word τ m1 = tag_word τ m3 → empty m2).
  Proof.
    intros H12 (e & H2e & He & He3). pose proof (@index_has_room (tier_sizes τ.1)).
    pose proof (leads_to_tag _ _ H12). pose proof (leads_to_tag _ _ H2e). pose proof (leads_to_tag _ _ He3).
    unfold tag_word. split; [nia|]. intros Hsame.
    assert (m_tag m1 = m_tag m3) by nia.
    destruct H2e as [?|[_ Hsuf]]; [lia|]. unfold empty in *. rewrite He in Hsuf. by apply suffix_nil_inv in Hsuf.
  Qed.

  Lemma tags_rise τs ms1 ms2 ms3 : length τs = length ms1 →
    Forall2 leads_to ms1 ms2 → Forall2 found_empty ms2 ms3 →
    (tags τs ms1 ≤ tags τs ms3)%Z ∧ (tags τs ms1 = tags τs ms3 → Forall empty ms2).
  Proof.
    revert ms1 ms2 ms3. induction τs as [|τ τs IH]; intros [|m1 ms1] ms2 ms3 Hlen H12 H23; simplify_eq/=.
    - inversion H12; subst. inversion H23; subst. done.
    - inversion H12 as [|? m2 ? ms2' L12 ?]; subst. inversion H23 as [|? m3 ? ms3' L23 ?]; subst.
      destruct (tag_rises τ _ _ _ L12 L23) as [Hle Heq].
      destruct (IH ms1 ms2' ms3') as [Hle' Heq']; [done..|].
      unfold tags in *. simpl. split; [lia|]. intros Hsum. constructor; [apply Heq|apply Heq']; lia.
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
        (∃ ms, ⌜v = InjLV #(sum + tags (drop k τs) ms)%Z ∧ length (drop k τs) = length ms ∧
                Forall2 found_empty prior ms⌝ ∗
          once (drop k τs) ms ∗ may_take τs Ψ) ∨
        (∃ k x : nat, ⌜v = InjRV (#k, #x)⌝ ∗ Ψ k x) }}}.
  Proof.
    iIntros (Φ) "(#Hlists & AU & #Honce) HΦ".
    remember (drop k τs) as rest eqn:Hrest.
    iInduction rest as [|[τ γ] rest] "IH" forall (k prior sum Hrest).
    { iDestruct (big_sepL2_nil_inv_l with "Honce") as %->. wp_lam. wp_pures. iModIntro. iApply "HΦ". iLeft. iExists [].
      rewrite /tags /= Z.add_0_r. iFrame. iSplit; [done|]. by iApply big_sepL2_nil. }
    iDestruct (big_sepL2_cons_inv_l with "Honce") as (m0 prior' ->) "[(%n0 & Hm0) Hrest]".
    assert (τs !! k = Some (τ, γ)) as Hk.
    { rewrite -(Nat.add_0_r k) -lookup_drop -Hrest. done. }
    assert (rest = drop (S k) τs) as Hrest'.
    { rewrite -Nat.add_1_r -drop_drop -Hrest. done. }
    simpl. wp_lam.
    iAssert (is_list (H := tier_sizes τ) γ (tier_head τ) (tier_states τ)) as "Hlist".
    { iApply (big_sepL_lookup _ _ _ _ Hk with "Hlists"). }
    awp_apply (pop_now_spec (H := tier_sizes τ) with "Hlist").
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
      iIntros "AU !>". wp_pures.
      (* The look at the tag. *)
      wp_bind (! _)%E. iInv "Hlist" as (n2 t2 xs2 w2) ">(Hh & Hnow & Hch & Hs & %Hw)".
      iDestruct (was_now with "Hwas Hnow") as %[_ Hleads2].
      iAssert (was γ.(moment_name) n2 (Moment t2 xs2 w2)) as "#Hwas2"; [by iApply now_was|].
      iDestruct (index_facts (H := tier_sizes τ) _ _ _ _ w2 with "Hs Hch") as %(Hidx & _ & _).
      wp_load. iModIntro. iSplitR "AU HΦ"; [iNext; iExists n2, t2, xs2, w2; by iFrame|].
      wp_pures. rewrite index_of_head; [|done]. wp_pures.
      iApply ("IH" with "[//] Hrest AU"). iIntros "!>" (v) "[H|H]"; iApply "HΦ"; [iLeft|by iRight].
      iDestruct "H" as (ms') "((-> & %Hlen' & %Hall) & #Honce' & AU)".
      iExists (Moment t2 xs2 w2 :: ms'). iFrame "AU". iSplit.
      { iPureIntro. split_and!; [|simpl; lia|constructor; [|done]; by exists (Moment t [] w)].
        unfold tags, tag_word, head_word. simpl. do 3 f_equal. lia. }
      iApply big_sepL2_cons. iFrame "Honce'". by iExists n2.
    - iDestruct "Hnow" as "(Hnow & Hlc & Hslot)". iRight. iExists k, x. iSplitR "HΦ".
      { iExists (τ, γ), t, ys, w. iSplit; [done|]. iFrame "Hlc Hslot".
        iSpecialize ("Hc" $! (τ, γ) (Moment (S t) ys w) with "[Hnow]"); [by iExists _|].
        by rewrite (list_insert_id τs). }
      iIntros "HΨ !>". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame.
  Qed.

  (* What somebody knows who can see all lists at any moment: Q, should they all be empty then. *)
  Definition may_look τs (Q : iProp Σ) : iProp Σ :=
    □ |={⊤,∅}=> ∃ ms, contents τs ms ∗ (contents τs ms ={∅,⊤}=∗ if decide (Forall empty ms) then Q else True).

  Lemma look τs Q : may_look τs Q ={⊤}=∗ ∃ ms, once τs ms ∗ if decide (Forall empty ms) then Q else True.
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
    iMod (look with "Hlook") as (ms0) "[#Honce0 _]". wp_lam.
    wp_apply (walk_from_spec τs 0 ms0 with "[$Hlists $AU $Honce0]").
    iIntros (v) "[H|H]"; last first.
    { iDestruct "H" as (k x) "[-> HΨ]". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame. }
    iDestruct "H" as (ms1) "((-> & %Hlen & _) & #Honce1 & AU)". wp_pures.
    rewrite Z.add_0_l drop_0. simpl in Hlen.
    iLöb as "IH" forall (ms1 Hlen) "Honce1". wp_lam.
    (* The moment. *)
    iApply fupd_wp. iMod "Hlook" as (ms2) "[Hc Hclose]".
    iDestruct (once_contents with "Honce1 Hc") as %H12.
    iDestruct (contents_once with "Hc") as "#Honce2". iMod ("Hclose" with "Hc") as "HQ". iModIntro.
    wp_apply (walk_from_spec τs 0 ms2 with "[$Hlists $AU $Honce2]").
    iIntros (v) "[H|H]"; last first.
    { iDestruct "H" as (k x) "[-> HΨ]". wp_pures. iModIntro. iApply "HΦ". iRight. iExists k, x. by iFrame. }
    iDestruct "H" as (ms3) "((-> & %Hlen3 & %H23) & #Honce3 & AU)". wp_pures.
    rewrite Z.add_0_l drop_0. simpl in Hlen3.
    destruct (tags_rise τs ms1 ms2 ms3) as [Hle Hsame]; [done..|].
    wp_lam. wp_pures.
    destruct (decide ((tags τs ms3 `rem` word)%Z = (tags τs ms1 `rem` word)%Z)) as [Heq|Hne]; last first.
    { rewrite bool_decide_eq_false_2; [|congruence]. wp_pures. iApply ("IH" with "[//] HΦ AU Honce3"). }
    rewrite bool_decide_eq_true_2; [|congruence]. wp_pures.
    destruct (decide (tags τs ms1 + word ≤ tags τs ms3)%Z) as [Hslept|Hawake].
    { rewrite bool_decide_eq_true_2; [|done]. wp_pures. wp_apply overslept_spec. }
    rewrite bool_decide_eq_false_2; [|done]. wp_pures.
    rewrite decide_True.
    { iModIntro. iApply "HΦ". iLeft. by iFrame. }
    apply Hsame.
    assert (0 ≤ tags τs ms1)%Z as Hpos.
    { clear. unfold tags, tag_word. generalize (zip τs ms1) as l.
      induction l as [|[τ m] l IH]; simpl in *; [done|]. nia. }
    rewrite !Z.rem_mod_nonneg in Heq; [|lia..].
    assert (word ≠ 0)%Z as Hword by lia.
    pose proof (Z.div_mod (tags τs ms1) word Hword).
    pose proof (Z.div_mod (tags τs ms3) word Hword) as E3. rewrite Heq in E3.
    set (q1 := (tags τs ms1 `div` word)%Z) in *. set (q3 := (tags τs ms3 `div` word)%Z) in *.
    assert (q1 = q3) as Hq by nia. nia.
  Qed.
End exhausted.
