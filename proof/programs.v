(* A closed program, without any Iris in its theorem: two threads pop and push; it never gets stuck, and at the end all slots
   are there.

     worker 1:  pop, push, pop, push ...  ┐
                                          ├─ then all that can be had: N slots
     worker 2:  pop, push, pop, push ...  ┘ *)
From iris.base_logic.lib Require Import invariants ghost_var.
From iris.heap_lang Require Import adequacy lib.par.
From tierpool Require Export pop pop_chain push.

Section code.
  Context `{!sizes}.

  (* Takes a slot and puts it back, n times. *)
  Definition worker : val := rec: "worker" "h" "s" "n" :=
    if: "n" = #0 then #() else
    match: pop "h" "s" with
      NONE => #()
    | SOME "i" => free "h" "s" "i" "i";; #()
    end;;
    "worker" "h" "s" ("n" - #1).

  (* Takes all slots there are, and tells how many. *)
  Definition take_all : val := rec: "take_all" "h" "s" :=
    match: pop_chain "h" "s" #N with NONE => #0 | SOME "taken" => "take_all" "h" "s" + Snd "taken" end.

  (* Two of them at the same time; then, how many slots there are to be had. *)
  Definition two_workers (n1 n2 : Z) : expr :=
    let: "h" := ref #0 in
    let: "s" := AllocN #N #0 in
    (worker "h" "s" #n1 ||| worker "h" "s" #n2);;
    take_all "h" "s".
End code.

Section proof.
  Context `{!sizes, !heapGS Σ, !listG Σ, !spawnG Σ, !ghost_varG Σ nat}.

  Definition accountN : namespace := nroot .@ "account".

  (* What each thread holds, and the list, make N. *)
  Definition account (γ : names) (g : bool → gname) : iProp Σ := ∃ xs (c : bool → nat),
    content γ xs false ∗ ghost_var (g true) (1/2) (c true) ∗ ghost_var (g false) (1/2) (c false) ∗
    ⌜(length xs + c true + c false = N)%nat⌝.

  (* One thread's share of it. *)
  Lemma account_acc γ g me k :
    account γ g -∗ ghost_var (g me) (1/2) k -∗
    ∃ xs rest, content γ xs false ∗ ⌜(length xs + k + rest = N)%nat⌝ ∗
      (∀ ys k', content γ ys false -∗ ⌜(length ys + k' + rest = N)%nat⌝ ==∗
        account γ g ∗ ghost_var (g me) (1/2) k').
  Proof.
    iIntros "(%xs & %c & Hc & Ht & Hf & %Hsum) Hme".
    iExists xs, (c (negb me)). iFrame "Hc". destruct me; simpl.
    - iDestruct (ghost_var_agree with "Ht Hme") as %Hk. iSplit; [iPureIntro; lia|].
      iIntros (ys k') "Hc %Hsum'". iMod (ghost_var_update_halves k' with "Ht Hme") as "[Ht $]".
      iModIntro. iExists ys, (λ b : bool, if b then k' else c false). iFrame. iPureIntro. simpl. lia.
    - iDestruct (ghost_var_agree with "Hf Hme") as %Hk. iSplit; [iPureIntro; lia|].
      iIntros (ys k') "Hc %Hsum'". iMod (ghost_var_update_halves k' with "Hf Hme") as "[Hf $]".
      iModIntro. iExists ys, (λ b : bool, if b then c true else k'). iFrame. iPureIntro. simpl. lia.
  Qed.

  Lemma worker_spec γ g h s me (n : Z) :
    {{{ is_list γ h s ∗ inv accountN (account γ g) ∗ ghost_var (g me) (1/2) 0%nat }}}
      worker #h #s #n
    {{{ RET #(); ghost_var (g me) (1/2) 0%nat }}}.
  Proof.
    iIntros (Φ) "(#Hl & #Hinv & Hme) HΦ". iLöb as "IH" forall (n). wp_lam. wp_pures.
    case_bool_decide; wp_pures; [by iApply "HΦ"|].
    awp_apply (pop_spec with "Hl").
    iInv "Hinv" as ">Hac". iDestruct (account_acc with "Hac Hme") as (xs rest) "(Hc & %Hsum & Hback)".
    iAaccIntro with "Hc".
    { iIntros "Hc". iMod ("Hback" with "Hc [%]") as "[Hac Hme]"; [done|]. iModIntro.
      iSplitL "Hac"; [by iNext|iFrame]. }
    iIntros "(Hc & Hslot)". destruct xs as [|x xs]; simpl.
    { iMod ("Hback" with "Hc [%]") as "[Hac Hme]"; [done|]. iModIntro.
      iSplitL "Hac"; [by iNext|]. wp_pures. iApply ("IH" with "Hme HΦ"). }
    iDestruct "Hslot" as "[_ Hslot]".
    iMod ("Hback" $! _ 1%nat with "Hc [%]") as "[Hac Hme]"; [simpl in *; lia|]. iModIntro.
    iSplitL "Hac"; [by iNext|]. wp_pures.
    iDestruct (slot_from_to with "Hslot") as "Hslot".
    awp_apply (free_spec γ h s [x] with "Hl Hslot").
    iInv "Hinv" as ">Hac". iDestruct (account_acc with "Hac Hme") as (xs' rest') "(Hc & %Hsum' & Hback)".
    iAaccIntro with "Hc".
    { iIntros "Hc". iMod ("Hback" with "Hc [%]") as "[Hac Hme]"; [done|]. iModIntro.
      iSplitL "Hac"; [by iNext|iFrame]. }
    iIntros "[Hc _]". iMod ("Hback" $! _ 0%nat with "Hc [%]") as "[Hac Hme]"; [simpl; lia|]. iModIntro.
    iSplitL "Hac"; [by iNext|]. wp_pures. iApply ("IH" with "Hme HΦ").
  Qed.

  (* Alone: what is not here is on the list. *)
  Lemma take_all_spec γ g h s (k : nat) : (0 < N)%nat →
    {{{ is_list γ h s ∗ inv accountN (account γ g) ∗ ghost_var (g true) (1/2) k ∗ ghost_var (g false) (1/2) 0%nat }}}
      take_all #h #s
    {{{ RET #(N - k); True }}}.
  Proof.
    iIntros (N_pos Φ) "(#Hl & #Hinv & Hg1 & Hg2) HΦ". iLöb as "IH" forall (k Φ). wp_lam. wp_pures.
    awp_apply (pop_chain_spec with "Hl"); [done|].
    iInv "Hinv" as (xs c) ">(Hc & Ht & Hf & %Hsum)".
    iDestruct (ghost_var_agree with "Ht Hg1") as %Hct.
    iDestruct (ghost_var_agree with "Hf Hg2") as %Hcf.
    iAaccIntro with "Hc".
    { iIntros "Hc !>". iSplitL "Hc Ht Hf"; [iNext; iExists xs, c; by iFrame|iFrame]. }
    iIntros (n) "(Hc & _ & Hch & %Hn)".
    (* The slots now belong to this thread. *)
    iMod (ghost_var_update_halves (k + length (take n xs))%nat with "Ht Hg1") as "[Ht Hg1]".
    iModIntro. iSplitL "Hc Ht Hf".
    { iNext. iExists (drop n xs), (λ b : bool, if b then (k + length (take n xs))%nat else c false). iFrame. iPureIntro.
      pose proof (f_equal length (take_drop n xs)) as Hlen. rewrite app_length in Hlen. simpl. lia. }
    destruct xs as [|x xs].
    { wp_pures. replace (N - k)%Z with 0%Z by (simpl in Hsum; lia). by iApply "HΦ". }
    wp_pures. wp_apply ("IH" with "Hg1 Hg2"). iIntros "_". wp_pures.
    replace (N - k)%Z with (N - (k + length (take n (x :: xs)))%nat + length (take n (x :: xs)))%Z by lia. by iApply "HΦ".
  Qed.

  Lemma two_workers_spec (n1 n2 : Z) : (0 < N)%nat → ⊢ WP two_workers n1 n2 {{ v, ⌜v = #N⌝ }}.
  Proof.
    intros N_pos. rewrite /two_workers. wp_alloc h as "Hh". wp_pures.
    wp_apply wp_allocN; [lia|done|]. iIntros (s) "[Hs _]". rewrite Nat2Z.id. wp_pures.
    iMod (list_alloc with "Hh Hs") as (γ) "[#Hl Hc]".
    iMod (ghost_var_alloc 0%nat) as (g1) "[Hg1 Hg1']".
    iMod (ghost_var_alloc 0%nat) as (g2) "[Hg2 Hg2']".
    set (g := λ b : bool, if b then g1 else g2).
    iMod (inv_alloc accountN _ (account γ g) with "[Hc Hg1 Hg2]") as "#Hinv".
    { iNext. iExists (seq 0 N), (λ _ : bool, 0%nat). iFrame. iPureIntro. rewrite seq_length. lia. }
    wp_apply (wp_par (λ _, ghost_var (g true) (1/2) 0%nat) (λ _, ghost_var (g false) (1/2) 0%nat)
      with "[Hg1'] [Hg2']").
    { wp_apply (worker_spec γ g h s true with "[$Hl $Hinv $Hg1']"). by iIntros. }
    { wp_apply (worker_spec γ g h s false with "[$Hl $Hinv $Hg2']"). by iIntros. }
    iIntros (v1 v2) "[Hg1 Hg2] !>". wp_pures.
    iApply (take_all_spec γ g h s 0 with "[$Hl $Hinv $Hg1 $Hg2]"); [done|].
    iIntros "!> _". iPureIntro. f_equal. f_equal. f_equal. lia.
  Qed.
End proof.

Theorem two_workers_adequate `{!sizes} (n1 n2 : Z) σ : (0 < N)%nat →
  adequate NotStuck (two_workers n1 n2) σ (λ v _, v = #N).
Proof.
  intros HN.
  set (Σ := #[heapΣ; listΣ; spawnΣ; ghost_varΣ nat]).
  apply (heap_adequacy Σ). iIntros (?) "_". by iApply two_workers_spec.
Qed.
