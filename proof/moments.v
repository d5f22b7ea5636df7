(* The history of a list: all its moments, in their order, of which none is ever taken back.

     moment 0        moment 1      moment 2        moment 3
     tag 0, 0 1 2    tag 1, 1 2    tag 1, 0 1 2    tag 2, 1 2 ...      the last one is now
                pop           push           pop

   While the tag stays, what was on the list stays at its bottom: only pops take slots off, and each moves the tag. So who has
   seen a moment of tag t knows what the list ends with for as long as the tag is t. *)
From iris.algebra Require Import lib.mono_list.
From iris.base_logic Require Import lib.own.
From iris.proofmode Require Import proofmode.
From tierpool Require Export sizes.

(* The tag, the free slots from the top, and whether somebody waits for one. *)
Record moment := Moment { m_tag : nat; m_free : list nat; m_waited : bool }.
Notation momentO := (leibnizO moment).

(* a, some time later b: under the same tag the list keeps what it had, and it is still waited for unless a slot has come. *)
Definition leads_to (a b : moment) : Prop :=
  (m_tag a < m_tag b)%nat ∨
  m_tag a = m_tag b ∧ m_free a `suffix_of` m_free b ∧ (m_waited a = true → m_free b = [] → m_waited b = true).

Global Instance leads_to_refl : Reflexive leads_to.
Proof. intros a. by right. Qed.

Global Instance leads_to_trans : Transitive leads_to.
Proof.
  intros a b c [?|(Hab & Hfree & Hw)] [?|(Hbc & Hfree' & Hw')]; unfold leads_to; [left; lia..|].
  right. split; [lia|]. split; [by etrans|]. intros Ha Hc.
  apply Hw'; [|done]. apply Hw; [done|]. rewrite Hc in Hfree'. by apply suffix_nil_inv.
Qed.

Definition in_order (past : list moment) : Prop :=
  ∀ n m a b, past !! n = Some a → past !! m = Some b → (n ≤ m)%nat → leads_to a b.

Lemma in_order_one a : in_order [a].
Proof. intros [|n] [|m] b c; simpl; intros; simplify_eq; done. Qed.

Lemma in_order_snoc past a b : leads_to a b → in_order (past ++ [a]) → in_order ((past ++ [a]) ++ [b]).
Proof.
  intros Hab Hin n m c d Hn Hm Hle.
  assert (∀ k e, ((past ++ [a]) ++ [b]) !! k = Some e →
    (k < S (length past))%nat ∧ (past ++ [a]) !! k = Some e ∨ k = S (length past) ∧ e = b) as Hcase.
  { intros k e Hk. apply lookup_app_Some in Hk as [Hk|[Hlen Hk]].
    - left. pose proof (lookup_lt_Some _ _ _ Hk) as Hlt. rewrite app_length /= in Hlt. split; [lia|done].
    - right. rewrite app_length /= in Hlen, Hk. apply list_lookup_singleton_Some in Hk as [Hk ->].
      split; [lia|done]. }
  apply Hcase in Hm as [[Hlt Hm]|[-> ->]], Hn as [[Hlt' Hn]|[-> ->]]; [by eapply Hin|lia| |done].
  etrans; [|exact Hab]. eapply (Hin n (length past)); [done| |lia]. by rewrite list_lookup_middle.
Qed.

Class momentsG Σ := MomentsG { moments_inG :> inG Σ (mono_listR momentO) }.
Definition momentsΣ : gFunctors := #[GFunctor (mono_listR momentO)].
Global Instance subG_momentsΣ Σ : subG momentsΣ Σ → momentsG Σ.
Proof. solve_inG. Qed.

Section moments.
  Context `{!momentsG Σ}.
  Implicit Types (γ : gname) (n : nat) (a b : moment).

  (* The moment now is a, the n-th one. There are two halves of it: who has both may change it. *)
  Definition now γ n a : iProp Σ := ∃ past,
    own γ (●ML{#1/2} (past ++ [a] : list momentO)) ∗ ⌜length past = n ∧ in_order (past ++ [a])⌝.

  (* The n-th moment was a. *)
  Definition was γ n a : iProp Σ := ∃ past, own γ (◯ML (past : list momentO)) ∗ ⌜past !! n = Some a⌝.

  Global Instance now_timeless γ n a : Timeless (now γ n a).
  Proof. apply _. Qed.
  Global Instance was_timeless γ n a : Timeless (was γ n a).
  Proof. apply _. Qed.
  Global Instance was_persistent γ n a : Persistent (was γ n a).
  Proof. apply _. Qed.

  Lemma now_alloc a : ⊢ |==> ∃ γ, now γ 0 a ∗ now γ 0 a.
  Proof.
    iMod (own_alloc (●ML ([a] : list momentO))) as (γ) "[H1 H2]"; [by apply mono_list_auth_valid|].
    iModIntro. iExists γ. iSplitL "H1"; iExists []; iFrame; iPureIntro; split; [done| |done|].
    all: apply in_order_one.
  Qed.

  Lemma now_agree γ n1 n2 a1 a2 : now γ n1 a1 -∗ now γ n2 a2 -∗ ⌜n1 = n2 ∧ a1 = a2⌝.
  Proof.
    iIntros "(%p1 & H1 & <- & _) (%p2 & H2 & <- & _)".
    iDestruct (own_valid_2 with "H1 H2") as %[_ Heq]%mono_list_auth_dfrac_op_valid_L.
    apply app_inj_tail in Heq as [-> ->]. done.
  Qed.

  Lemma now_update γ n a b : leads_to a b → now γ n a -∗ now γ n a ==∗ now γ (S n) b ∗ now γ (S n) b.
  Proof.
    iIntros (Hab) "H1 H2". iDestruct "H1" as (p1) "[H1 [%Hn1 %Hin]]". iDestruct "H2" as (p2) "[H2 [%Hn2 _]]".
    iDestruct (own_valid_2 with "H1 H2") as %[_ Heq]%mono_list_auth_dfrac_op_valid_L.
    apply app_inj_tail in Heq as [<- _].
    iCombine "H1 H2" as "H".
    iMod (own_update _ _ (●ML ((p1 ++ [a]) ++ [b] : list momentO)) with "H") as "[H1 H2]".
    { apply mono_list_update. by eexists. }
    iModIntro. iSplitL "H1"; iExists (p1 ++ [a]); iFrame; iPureIntro.
    all: split; [rewrite app_length /=; lia|by apply in_order_snoc].
  Qed.

  (* Whoever sees the list may remember it ... *)
  Lemma now_was γ n a : now γ n a -∗ was γ n a.
  Proof.
    iIntros "(%past & H & <- & _)". iExists (past ++ [a]). iSplitL.
    - iApply (own_mono with "H"). apply mono_list_included.
    - iPureIntro. by rewrite list_lookup_middle.
  Qed.

  (* ... and knows later what must still be so. *)
  Lemma was_now γ n m a b : was γ m b -∗ now γ n a -∗ ⌜(m ≤ n)%nat ∧ leads_to b a⌝.
  Proof.
    iIntros "(%p1 & H1 & %Hm) (%p2 & H2 & <- & %Hin)".
    iDestruct (own_valid_2 with "H2 H1") as %[_ Hpre]%mono_list_both_dfrac_valid_L.
    iPureIntro. assert ((p2 ++ [a]) !! m = Some b) as Hb by by eapply prefix_lookup.
    assert (m ≤ length p2)%nat as Hle.
    { apply lookup_lt_Some in Hb. rewrite app_length /= in Hb. lia. }
    split; [done|]. eapply Hin; [done| |done]. by rewrite list_lookup_middle.
  Qed.
End moments.

Global Opaque now was.
