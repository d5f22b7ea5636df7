(* The checked raw free: of two racing frees of one allocation one succeeds.

     deallocate    swap the state word from RAW to USED ─┬─ done: the slot is the caller's, who pushes it
                                                         └─ not RAW (any more): nothing has been done

   So a free succeeds if and only if the slot is a raw allocation at the moment of the swap. Two frees race for one allocation:
   the winner takes the right to the word with it, and until somebody writes RAW there again, all others fail. *)
From iris.base_logic.lib Require Import invariants.
From tierpool Require Export handle_code carrying.

Section code.
  Context `{!sizes}.

  Definition RAW : Z := 1879048192. (* 0x7000_0000 *)

  (* Rust:
        | pub(crate) fn claim_raw(&self, to: u32) -> bool {
      1 |     self.word.compare_exchange(RAW, to, Relaxed, Relaxed).is_ok()
        | }
  *)
  (* Rust:
        | pub(crate) fn claim_raw_for_free(&self) -> bool {
      1 |     self.claim_raw(USED)
        | }
  *)
  Definition claim_raw : val := λ: "state" "to", CAS "state" #RAW "to".

  (* Rust:
        | pub unsafe fn deallocate(&'static self, pointer: NonNull<u8>) -> Result<(), FreeError> {
      1 |     let (tier, index) = self.find(pointer)?;
      2 |     if !unsafe { tier.list().state(index) }.claim_raw_for_free() {
      3 |         return Err(FreeError::NotAllocated);
        |     }
      4 |     unsafe { self.free_raw(tier, index) };
      5 |     Ok(())
        | }
  *)
  (* Rust:
        | pub(crate) unsafe fn free_raw(&self, tier: &'static Tier, index: u32) {
      1 |     if self.zero_on_free() {
      2 |         unsafe { tier.wipe(index) };
        |     }
      3 |     unsafe { tier.free(index) };
        | }
  *)
  Definition deallocate : val := λ: "h" "s" "index",
    if: claim_raw ("s" +ₗ "index") #USED then free "h" "s" "index" "index";; #true else #false.
End code.

Local Transparent USED.

Section raw.
  Context `{!sizes, !heapGS Σ, !listG Σ}.
  Implicit Types (γ : names) (h s : loc) (i : nat) (xs : list nat) (w : bool) (z : Z).

  (* Where a slot is: out, with this state word; or on the list. *)
  Inductive place := Out (z : Z) | OnList (xs : list nat) (w : bool).

  Definition is_raw (at_ : place) : bool := match at_ with Out z => bool_decide (z = RAW) | OnList _ _ => false end.

  Definition at_place γ i (at_ : place) : iProp Σ :=
    match at_ with Out z => word γ.(word_name) i z | OnList xs w => content γ xs w ∗ ⌜i ∈ xs⌝ end.

  (* The free of what is raw, and nothing else, succeeds; then the word is the caller's. *)
  Theorem claim_raw_spec γ h s i (to : Z) :
    is_list γ h s -∗
    <<< ∀∀ at_, at_place γ i at_ >>>
      claim_raw #(s +ₗ i) #to @ ↑listN
    <<< if is_raw at_ then word γ.(word_name) i to else at_place γ i at_, RET #(is_raw at_) >>>.
  Proof.
    iIntros "#Hinv" (Φ) "AU". wp_lam. wp_pures. wp_bind (CmpXchg _ _ _).
    iInv "Hinv" as (n t xs w) ">(Hh & Hnow & Hch & Hs & %Hw)".
    iMod "AU" as (at_) "[Hat [_ Hclose]]". destruct at_ as [z|xs' w']; simpl.
    - iDestruct (words_own with "Hs Hat") as "(_ & Hz & Hback)".
      destruct (decide (z = RAW)) as [->|Hne].
      + wp_cmpxchg_suc. iMod ("Hback" with "Hz") as "[Hs Hi]".
        rewrite bool_decide_eq_true_2; [|done].
        iMod ("Hclose" with "Hi") as "HΦ". do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, xs, w; by iFrame|].
        by wp_pures.
      + wp_cmpxchg_fail. iMod ("Hback" with "Hz") as "[Hs Hi]".
        rewrite bool_decide_eq_false_2; [|done].
        iMod ("Hclose" with "Hi") as "HΦ". do 2 iModIntro. iSplitR "HΦ"; [iNext; iExists n, t, xs, w; by iFrame|].
        by wp_pures.
    - iDestruct "Hat" as "[Hc %Hi]". iDestruct (content_agree with "Hnow Hc") as ([<- <-]) "[Hnow Hc]".
      apply elem_of_list_split in Hi as (front & rest & ->).
      iDestruct (chain_app with "Hch") as "(Hfront & (%z & Hi & %Hlink) & Hrest)".
      iDestruct (words_bound with "Hs Hi") as %Hi.
      iAssert ⌜(0 ≤ first_or rest N ≤ N)%Z⌝%I as %Hnext.
      { destruct rest as [|r rest]; simpl; [iPureIntro; lia|].
        iDestruct "Hrest" as "[(%z' & Hr & _) _]". iDestruct (words_bound with "Hs Hr") as %?. iPureIntro. lia. }
      iDestruct (words_own with "Hs Hi") as "(_ & Hz & Hback)".
      assert (z ≠ RAW) as Hne.
      { pose proof slots_have_a_link. destruct Hlink as [_ [->| ->]]; unfold RAW, USED; [done|].
        lia. }
      wp_cmpxchg_fail. iMod ("Hback" with "Hz") as "[Hs Hi]".
      iMod ("Hclose" with "[Hc]") as "HΦ"; [iSplitL; [by iExists _, _|]; iPureIntro; set_solver|].
      do 2 iModIntro. iSplitR "HΦ"; [|by wp_pures].
      iNext. iExists n, t, (front ++ i :: rest), w. iFrame "Hh Hnow Hs". iSplitL; [|done].
      iApply chain_app. simpl. iFrame. iExists z. by iFrame.
  Qed.
End raw.
